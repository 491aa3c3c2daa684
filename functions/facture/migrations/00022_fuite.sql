-- Leaks after the meter (CGCT L2224-12-4 III bis, R2224-20-1): from the reading that shows one to the capped bill.

-- +goose Up
create table dossier_fuite (
  id             uuid primary key,
  contrat_id     uuid not null references contrat,
  releve_id      uuid not null unique references releve, -- the reading that showed it
  du             date not null,                          -- of the reading before
  au             date not null check (au > du),
  volume_litres  bigint not null,
  moyenne_litres bigint not null check (moyenne_litres > 0),
  reference      text not null check (reference in ('ABONNE', 'LOGEMENTS_COMPARABLES')), -- whose mean it is
  informe_le     date not null,
  jusqua         date not null check (jusqua > informe_le),                              -- last day for the certificate
  etat           text not null check (etat in ('OUVERTE', 'ATTESTEE', 'CLASSEE')),       -- CLASSEE: the month passed without certificate
  recue_le       date,                                   -- the certificate
  reparation_le  date,
  lieu           text not null default '',
  plombier       text not null default '',
  avoir_id       uuid references facture,
  cree_a         timestamptz not null,
  check ((etat = 'ATTESTEE') = (recue_le is not null and reparation_le is not null)),
  check (volume_litres > moyenne_litres)
);
create index dossier_fuite_contrat on dossier_fuite (contrat_id, au);
create index dossier_fuite_liste on dossier_fuite (etat, jusqua, id);

-- +goose Down
drop table dossier_fuite;
