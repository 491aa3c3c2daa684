-- The numbers of organisations, as contrat tells them, and what a platform answers after it took a document.

-- +goose Up

-- Of an abonne: events come in any order, the highest version holds.
create table client (
  abonne_id  uuid primary key,
  version    bigint not null,
  siren      text not null check (siren ~ '^([0-9]{9})?$'),
  siret      text not null check (siret ~ '^([0-9]{14})?$'),
  numero_tva text not null
);
insert into client (abonne_id, version, siren, siret, numero_tva) select abonne_id, 0, max(siren), '', '' from contrat group by 1;

alter table contrat add siret text not null default '', add numero_tva text not null default '';
alter table facture
  add siret      text not null default '' check (siret = '' or siret ~ '^[0-9]{14}$' and left(siret, 9) = siren),
  add numero_tva text not null default '';

-- TRANSMISE: the platform has it and checks it; DEPOSEE: it found nothing wrong (status 200 of XP Z12-012), REJETEE: it did (213).
alter table depot
  add questions int not null default 0,  -- how often the platform was asked what came of it
  add pris_jusqua timestamptz,           -- somebody speaks to the platform about it until then
  drop constraint depot_etat_check,
  add constraint depot_etat_check check (etat in ('A_DEPOSER', 'TRANSMISE', 'DEPOSEE', 'RECUE', 'APPROUVEE', 'REFUSEE', 'REJETEE', 'ENCAISSEE'));
drop index depot_a_faire;
create index depot_a_faire on depot (relance_a) where etat in ('A_DEPOSER', 'TRANSMISE');

-- Who had a document sent again.
create table relance_depot (
  facture_id uuid not null references depot,
  instant    timestamptz not null,
  motif      text not null,  -- why it had not gone through
  par_id     text not null,
  par        text not null,
  primary key (facture_id, instant)
);
revoke update, delete on relance_depot from facture;

-- +goose Down
drop table relance_depot;
drop index depot_a_faire;
create index depot_a_faire on depot (relance_a) where etat = 'A_DEPOSER';
alter table depot drop constraint depot_etat_check, drop column pris_jusqua, drop column questions,
  add constraint depot_etat_check check (etat in ('A_DEPOSER', 'DEPOSEE', 'RECUE', 'APPROUVEE', 'REFUSEE', 'REJETEE', 'ENCAISSEE'));
alter table facture drop column numero_tva, drop column siret;
alter table contrat drop column numero_tva, drop column siret;
drop table client;
