-- The books: whose an entry is, in which journal it stands, that nobody adds to it later, and months that are closed.

-- +goose Up

-- How an entity keeps its books. PRIVE has a ledger of its own and a FEC; REGIE is collected by the comptable public.
alter table entite
  add siren           text not null default '' check (siren ~ '^([0-9]{9})?$'),
  add regime          text not null default 'REGIE' check (regime in ('REGIE', 'PRIVE')),
  add tva_exigibilite text not null default 'DEBITS' check (tva_exigibilite in ('DEBITS', 'ENCAISSEMENTS'));
grant update (siren, regime, tva_exigibilite) on entite to facture;

-- An account of treasury has its journal; entries that touch none are sales or sundry.
alter table compte
  add journal text not null default 'OD' check (journal in ('VT', 'BQ', 'CA', 'OD')),
  add source  text not null default '';
update compte set journal = case numero when '530' then 'CA' when '512' then 'BQ' when '5112' then 'BQ' else 'VT' end where numero <> '411';
update compte set source = 'instruction budgétaire et comptable M49, plan de comptes';
insert into compte (numero, libelle, journal, source) values
  ('6541', 'Créances admises en non-valeur', 'OD', 'instruction budgétaire et comptable M49, compte 6541'),
  ('7711', 'Dédits et pénalités perçus', 'VT', 'instruction budgétaire et comptable M49, compte 7711');

-- xid is the transaction that wrote the entry: its movements come with it or never. Nobody else may set it.
alter table ecriture
  add entite    text not null default 'principale' references entite,
  add abonne_id uuid,                                -- whose account 411 it moves, unless a bill or a payment of the same id says so
  add xid       xid8 not null default pg_current_xact_id();
create index ecriture_date on ecriture (entite, date, id);
create index ecriture_abonne on ecriture (abonne_id) where abonne_id is not null;
create index mouvement_compte on mouvement (compte, ecriture_id);
revoke insert on ecriture from facture;
grant insert (id, date, piece, libelle, entite, abonne_id) on ecriture to facture;

-- +goose StatementBegin
create function mouvement_d_une_ecriture_nouvelle() returns trigger language plpgsql as $$
begin
  if exists (select from ajoutes a join ecriture e on e.id = a.ecriture_id where e.xid <> pg_current_xact_id()) then
    raise exception 'an entry of the journal takes no movement later' using errcode = 'integrity_constraint_violation', constraint = 'ecriture_figee';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger ecriture_figee after insert on mouvement referencing new table as ajoutes
  for each statement execute function mouvement_d_une_ecriture_nouvelle();

-- A closed month takes no entry any more. Closing waits for the entries that are being written, and they for it.
create table cloture (
  entite          text not null references entite,
  jusqua          date not null check (jusqua = date_trunc('month', jusqua) + interval '1 month - 1 day'),
  cloturee_a      timestamptz not null,
  par             text not null,
  ecritures       bigint not null,
  debit_centimes  bigint not null,
  primary key (entite, jusqua)
);

-- The definitive number of an entry, taken when its month closes: continuous and in order of date within the entity's year.
create table ecriture_numero (
  ecriture_id uuid primary key references ecriture,
  entite      text not null references entite,
  exercice    int not null,
  numero      bigint not null check (numero > 0),
  validee_le  date not null,
  unique (entite, exercice, numero)
);
revoke update, delete on cloture, ecriture_numero from facture;

-- +goose StatementBegin
create function periode_ouverte() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('facture.cloture'));
  if exists (select from nouvelles n join cloture c on c.entite = n.entite and n.date <= c.jusqua) then
    raise exception 'the period is closed' using errcode = 'integrity_constraint_violation', constraint = 'periode_close';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger periode_ouverte after insert on ecriture referencing new table as nouvelles
  for each statement execute function periode_ouverte();

-- An entry with its journal, its number once its month is closed, and the abonne it is about.
create view ecriture_journal as
  select e.id, e.entite, e.date, coalesce(j.journal, 'OD') as journal, n.exercice, n.numero, n.validee_le, e.piece, e.libelle,
         coalesce(e.abonne_id, f.abonne_id, p.abonne_id) as abonne_id
  from ecriture e
  left join ecriture_numero n on n.ecriture_id = e.id
  left join facture f on f.id = e.id
  left join paiement p on p.id = e.id
  left join lateral (select c.journal from mouvement m join compte c on c.numero = m.compte
    where m.ecriture_id = e.id and c.journal <> 'OD' order by array_position(array['CA', 'BQ', 'VT'], c.journal) limit 1) j on true;

-- +goose Down
drop view ecriture_journal;
drop trigger periode_ouverte on ecriture;
drop function periode_ouverte;
drop table ecriture_numero, cloture;
drop trigger ecriture_figee on mouvement;
drop function mouvement_d_une_ecriture_nouvelle;
drop index mouvement_compte, ecriture_abonne, ecriture_date;
grant insert on ecriture to facture;
alter table ecriture drop column xid, drop column abonne_id, drop column entite;
delete from compte where numero in ('6541', '7711') and not exists (select from mouvement where compte = numero);
alter table compte drop column source, drop column journal;
revoke update (siren, regime, tva_exigibilite) on entite from facture;
alter table entite drop column tva_exigibilite, drop column regime, drop column siren;
