-- Means of payment as data, money that is taken back, and what waits to be debited.

-- +goose Up

-- Plan comptable M49 (services d'eau et d'assainissement): 511 valeurs à l'encaissement, 471 recettes à classer.
insert into compte (numero, libelle) values
  ('471', 'Recettes à classer ou à régulariser'),
  ('5115', 'Cartes bancaires à l''encaissement'),
  ('5116', 'TIP à l''encaissement')
on conflict do nothing;

create table moyen (
  code    text primary key,
  libelle text not null,
  compte  text not null references compte,   -- where its money arrives
  banque  text references compte,            -- where a remise takes it from there; null: it is in the bank already
  rang    int not null unique                -- order in which people choose
);
insert into moyen (code, libelle, compte, banque, rang) values
  ('VIREMENT',    'Virement',              '512',  null,  1),
  ('PRELEVEMENT', 'Prélèvement',           '512',  null,  2),
  ('CHEQUE',      'Chèque',                '5112', '512', 3),
  ('ESPECES',     'Espèces',               '530',  '512', 4),
  ('CARTE',       'Carte bancaire',        '5115', '512', 5),
  ('MOBILE',      'Paiement mobile',       '5115', '512', 6),
  ('TIP',         'TIP SEPA',              '5116', '512', 7),
  ('MANDAT_CASH', 'Mandat-cash',           '512',  null,  8);

alter table paiement
  add piece text not null default '',        -- what identifies it outside: cheque, transfer or authorisation number
  add constraint paiement_mode_fkey foreign key (mode) references moyen;

-- A payment that the bank took back: its row stays, this one undoes it.
create table rejet (
  paiement_id uuid primary key references paiement,
  le          date not null,
  motif       text not null,
  cree_a      timestamptz not null,
  cree_par    text not null
);

-- What is matched is taken back by another row, with a negative amount, never by an update.
alter table lettrage
  drop constraint lettrage_montant_centimes_check,
  add check (montant_centimes <> 0),
  add motif  text not null default '',
  add cree_a timestamptz not null default now();
drop index lettrage_paiement, lettrage_avoir;
create index lettrage_paiement on lettrage (paiement_id, facture_id) where paiement_id is not null;
create index lettrage_avoir on lettrage (avoir_id, facture_id) where avoir_id is not null;

-- What a payment or an avoir has given never exceeds it, and what a bill shows as paid is what it was given.
-- +goose StatementBegin
create function lettrage_exact() returns trigger language plpgsql as $$
declare
  donne bigint;
  borne bigint;
begin
  if new.paiement_id is not null then
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where paiement_id = new.paiement_id;
    select case when exists (select from rejet where paiement_id = new.paiement_id) then 0 else montant_centimes end
      into borne from paiement where id = new.paiement_id;
  else
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where avoir_id = new.avoir_id;
    select -ttc_centimes into borne from facture where id = new.avoir_id;
  end if;
  if donne not between 0 and borne then
    raise exception 'lettrage %: % given of %', new.id, donne, borne using errcode = 'integrity_constraint_violation';
  end if;
  if (select paye_centimes from facture where id = new.facture_id)
      <> (select coalesce(sum(montant_centimes), 0) from lettrage where facture_id = new.facture_id) then
    raise exception 'lettrage %: the bill shows another sum', new.id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger lettrage_exact after insert on lettrage
  deferrable initially deferred for each row execute function lettrage_exact();

-- The account of an abonne, line by line; it is owed when the sum is above zero.
create view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id;

-- Debits to be collected, each once: for a bill, or for a part of a plan. Whoever writes the bank's file takes those
-- that are A_FAIRE (REMIS), and records the payment (ENCAISSE) or what the bank refused (REJETE).
create table prelevement_a_faire (
  id               uuid primary key,
  abonne_id        uuid not null,
  facture_id       uuid references facture,
  echeancier_id    uuid,
  rang             int,
  montant_centimes bigint not null check (montant_centimes > 0),
  date             date not null,            -- of the debit
  etat             text not null default 'A_FAIRE' check (etat in ('A_FAIRE', 'REMIS', 'ENCAISSE', 'REJETE', 'ANNULE')),
  paiement_id      uuid references paiement,
  cree_a           timestamptz not null,
  check (num_nonnulls(facture_id, echeancier_id) = 1),
  check ((echeancier_id is null) = (rang is null)),
  check ((etat = 'ENCAISSE') = (paiement_id is not null) or etat = 'REJETE')
);
create unique index prelevement_facture on prelevement_a_faire (facture_id) where etat in ('A_FAIRE', 'REMIS');
create unique index prelevement_echeance on prelevement_a_faire (echeancier_id, rang) where etat in ('A_FAIRE', 'REMIS', 'ENCAISSE');
create index prelevement_du on prelevement_a_faire (date) where etat = 'A_FAIRE';

revoke update, delete on moyen, rejet from facture;

-- +goose Down
drop table prelevement_a_faire;
drop view compte_abonne;
drop trigger lettrage_exact on lettrage;
drop function lettrage_exact;
drop index lettrage_paiement, lettrage_avoir;
create unique index lettrage_paiement on lettrage (paiement_id, facture_id) where paiement_id is not null;
create unique index lettrage_avoir on lettrage (avoir_id, facture_id) where avoir_id is not null;
alter table lettrage drop constraint lettrage_montant_centimes_check1, add check (montant_centimes > 0), drop column motif, drop column cree_a;
drop table rejet;
alter table paiement drop column piece, drop constraint paiement_mode_fkey;
drop table moyen;
