-- More than the bills of a lot: who issues them, where a tariff holds, and the
-- documents that correct or complete a bill.

-- +goose Up

-- A legal entity that issues bills; each has its own series of numbers.
create table entite (
  code    text primary key,
  nom     text not null default '',          -- '': as configured for the service
  prefixe text not null unique check (prefixe ~ '^[A-Z0-9]{0,6}$') -- before F<year> in its numbers
);
insert into entite (code, prefixe) values ('principale', '');

-- What a commune decides for the bills of its PDLs. A commune that is not listed is the main entity's, without a basin.
create table commune (
  code_insee  text primary key check (code_insee ~ '^[0-9AB]{5}$'),
  nom         text not null,
  entite      text not null references entite,
  bassin      text not null default '',
  rurale      boolean not null default false,
  touristique boolean not null default false
);

alter table contrat
  add code_insee text not null default '',
  add profil     text not null default '';  -- message.Contrat.Nature: INDIVIDUEL, COLLECTIF...

-- A tariff holds for a commune and a profile; '' is all of them, and the one that says more wins.
alter table grille
  add commune text not null default '',
  add profil  text not null default '';
alter table grille drop constraint grilles_chevauchantes;
alter table grille add constraint grilles_chevauchantes
  exclude using gist (service with =, commune with =, profil with =, periode with &&);

-- A duty holds in a basin; '' is everywhere.
alter table redevance add bassin text not null default '';
alter table redevance drop constraint redevances_chevauchantes;
alter table redevance add constraint redevances_chevauchantes
  exclude using gist (code with =, service with =, bassin with =, periode with &&);

-- FACTURE is the bill of a period; SOLDE the last one of a contract; MANUELLE has lines that a person wrote;
-- AVOIR takes back, wholly or in part, the bill that it corrects, with negative amounts.
alter table facture
  add nature     text not null default 'FACTURE' check (nature in ('FACTURE', 'SOLDE', 'MANUELLE', 'AVOIR')),
  add corrige_id uuid references facture,   -- of an AVOIR: the bill it takes back; of a FACTURE: the bill it replaces
  add entite     text not null default 'principale' references entite,
  add motif      text not null default '',
  alter lot_id drop not null,
  alter cas drop not null,
  drop constraint facture_etat_check,
  add constraint facture_etat_check
    check (etat in ('CALCULEE', 'EMISE', 'PARTIELLE', 'PAYEE', 'ANNULEE_PAR_AVOIR', 'ADMISE_EN_NON_VALEUR')),
  add constraint facture_avoir_check check (nature <> 'AVOIR' or ttc_centimes < 0 and corrige_id is not null),
  drop constraint facture_unique,
  add constraint facture_unique exclude using gist (contrat_id with =, periode with &&)
    where (nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR');
create index facture_corrige on facture (corrige_id) where corrige_id is not null;

-- What a bill was settled by: a payment, or an AVOIR.
alter table lettrage
  add id       uuid not null default gen_random_uuid(),
  add avoir_id uuid references facture,
  drop constraint lettrage_pkey,
  add primary key (id),
  alter paiement_id drop not null,
  add check (num_nonnulls(paiement_id, avoir_id) = 1);
create unique index lettrage_paiement on lettrage (paiement_id, facture_id) where paiement_id is not null;
create unique index lettrage_avoir on lettrage (avoir_id, facture_id) where avoir_id is not null;

revoke update, delete on entite from facture;

-- +goose Down
drop index lettrage_avoir, lettrage_paiement, facture_corrige;
alter table lettrage drop column avoir_id, drop constraint lettrage_pkey, drop column id, alter paiement_id set not null, add primary key (paiement_id, facture_id);
alter table facture drop constraint facture_unique, drop constraint facture_avoir_check, drop constraint facture_etat_check,
  drop column nature, drop column corrige_id, drop column entite, drop column motif,
  alter lot_id set not null, alter cas set not null,
  add constraint facture_etat_check check (etat in ('CALCULEE', 'EMISE', 'PARTIELLE', 'PAYEE')),
  add constraint facture_unique exclude using gist (contrat_id with =, periode with &&);
alter table redevance drop constraint redevances_chevauchantes, drop column bassin,
  add constraint redevances_chevauchantes exclude using gist (code with =, service with =, periode with &&);
alter table grille drop constraint grilles_chevauchantes, drop column commune, drop column profil,
  add constraint grilles_chevauchantes exclude using gist (service with =, periode with &&);
alter table contrat drop column code_insee, drop column profil;
drop table commune, entite;
