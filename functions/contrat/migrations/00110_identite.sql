-- The numbers of organisations: what their bills say, and where the platforms of electronic invoices find them.

-- +goose Up
alter table abonne
  add siren      text not null default '' check (siren ~ '^([0-9]{9})?$'),
  add siret      text not null default '' check (siret ~ '^([0-9]{14})?$'),
  add numero_tva text not null default '' check (numero_tva ~ '^([A-Z]{2}[0-9A-Z]{2,12})?$'),
  add version    bigint not null default 0 check (version >= 0),  -- of these numbers
  add constraint siret_de_la_siren check (siret = '' or left(siret, 9) = siren),
  add constraint particulier_sans_numero check (nature = 'ORGANISATION' or (siren, siret, numero_tva) = ('', '', ''));
create index abonne_siren on abonne (siren) where siren <> '';

-- Who changed them, and what they were: rows are only ever added.
create table abonne_journal (
  abonne_id uuid not null references abonne,
  version   bigint not null,
  instant   timestamptz not null,
  texte     text not null,
  par_id    text not null,
  par       text not null,
  primary key (abonne_id, version)
);
revoke update, delete on abonne_journal from contrat;

-- +goose Down
drop table abonne_journal;
drop index abonne_siren;
alter table abonne drop constraint particulier_sans_numero, drop constraint siret_de_la_siren,
  drop column version, drop column numero_tva, drop column siret, drop column siren;
