-- Contracts that ended, and their last bill.

-- +goose Up

-- What the law sets of leaks and of contracts that end: data with dates and a source, never constants.
create table regle_service (
  code    text not null check (code in ('SOLDE_JOURS', 'SOLDE_ECHEANCE_JOURS', 'FUITE_MULTIPLE', 'FUITE_ANNEES', 'FUITE_ATTESTATION_MOIS', 'FUITE_COMPARABLES')),
  valeur  bigint not null check (valeur > 0),
  periode daterange not null check (not isempty(periode)),
  source  text not null,
  exclude using gist (code with =, periode with &&)
);
insert into regle_service (code, valeur, periode, source) values
  ('SOLDE_JOURS',            15, '[2015-01-01,)', 'CGCT L2224-12 : résiliation au plus tard 15 jours après la demande, facture d''arrêt comprise'),
  ('SOLDE_ECHEANCE_JOURS',   30, '[2015-01-01,)', 'Règlement du service'),
  ('FUITE_MULTIPLE',          2, '[2011-05-19,)', 'CGCT L2224-12-4 III bis : volume supérieur au double du volume moyen'),
  ('FUITE_ANNEES',            3, '[2011-05-19,)', 'CGCT L2224-12-4 III bis : période équivalente des trois années précédentes'),
  ('FUITE_ATTESTATION_MOIS',  1, '[2011-05-19,)', 'CGCT L2224-12-4 III bis al. 2 : attestation dans le mois suivant l''information'),
  ('FUITE_COMPARABLES',       5, '[2011-05-19,)', 'Règlement du service : logements comparables de la commune à partir desquels leur moyenne vaut (CGCT L2224-12-4 III bis)');
revoke insert, update, delete on regle_service from facture;

alter table contrat add resilie_le date;

-- A contract that ended waits here for its last bill, with the reason while there is none.
create table resiliation (
  contrat_id  uuid primary key references contrat,
  demandee_le date not null,
  date        date not null,
  limite      date not null,                      -- the last bill is due by then
  etat        text not null check (etat in ('EN_ATTENTE', 'SOLDEE', 'SANS_OBJET')), -- SANS_OBJET: all was billed already
  facture_id  uuid references facture,
  code        text not null default '',
  detail      text not null default '',
  detail_en   text not null default '',
  recue_a     timestamptz not null,
  check ((etat = 'SOLDEE') = (facture_id is not null)),
  check ((etat = 'EN_ATTENTE') = (code <> ''))
);
create index resiliation_etat on resiliation (limite, contrat_id) where etat = 'EN_ATTENTE';

-- +goose Down
drop table resiliation;
alter table contrat drop column resilie_le;
drop table regle_service;
