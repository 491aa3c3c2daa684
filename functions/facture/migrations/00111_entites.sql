-- Who legal entities are, and settings that a person changes.

-- +goose Up

-- Who an entity is from an instant on: a bill prints who it was when it was issued, for ever. Rows are only ever added. An
-- entity without a row is as configured for the service.
create table identite (
  entite     text not null references entite on delete cascade,
  depuis     timestamptz not null,
  nom        text not null check (nom <> ''),
  forme      text not null,            -- legal form: régie, syndicat mixte, SA au capital de ...
  adresse    jsonb not null,           -- message.Adresse
  telephone  text not null,
  urgence    text not null,            -- '': the service's
  email      text not null,
  siret      text not null check (siret ~ '^[0-9]{14}$'),
  numero_tva text not null,            -- '': that of the SIREN
  iban       text not null,
  bic        text not null,
  par_id     text not null,
  par        text not null,
  primary key (entite, depuis)
);
revoke update, delete on identite from facture;

grant update (nom, prefixe) on entite to facture;
grant delete on entite to facture;
alter table creancier drop constraint creancier_entite_fkey, add constraint creancier_entite_fkey foreign key (entite) references entite on delete cascade;
alter table controle_lot drop constraint if exists controle_lot_entite_fkey, add constraint controle_lot_entite_fkey foreign key (entite) references entite on delete cascade;

-- What stands on bills stands.
-- +goose StatementBegin
create function prefixe_fige() returns trigger language plpgsql as $$
begin
  if new.code <> old.code or new.prefixe <> old.prefixe and exists (select from serie where entite = old.code) then
    raise exception 'entite % has numbers: its prefix cannot change', old.code using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger prefixe_fige before update on entite for each row execute function prefixe_fige();

-- Who changed which setting, from what to what: rows are only ever added.
create table reglage_journal (
  id      uuid primary key,
  instant timestamptz not null,
  par_id  text not null,
  par     text not null,
  objet   text not null check (objet in ('MENTION', 'CONTROLE', 'COMMUNES')),
  cle     text not null,  -- code of the mention, or of the entity
  avant   text not null,
  apres   text not null
);
create index reglage_journal_recent on reglage_journal (instant desc, id desc);
revoke update, delete on reglage_journal from facture;

-- +goose Down
drop table reglage_journal;
drop trigger prefixe_fige on entite;
drop function prefixe_fige;
alter table controle_lot drop constraint controle_lot_entite_fkey, add foreign key (entite) references entite;
alter table creancier drop constraint creancier_entite_fkey, add constraint creancier_entite_fkey foreign key (entite) references entite;
revoke delete on entite from facture;
revoke update (nom, prefixe) on entite from facture;
drop table identite;
