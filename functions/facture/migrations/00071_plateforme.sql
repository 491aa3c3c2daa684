-- Electronic invoices to organisations through an approved platform, and what is declared of the others.

-- +goose Up

-- From when the law wants what, of which size of company.
create table obligation (
  code   text not null check (code in ('RECEPTION', 'EMISSION', 'DECLARATION')),
  taille text not null check (taille in ('GRANDE', 'PME')),
  du     date not null,
  source text not null check (source <> ''),
  primary key (code, taille)
);
insert into obligation (code, taille, du, source) values
  ('RECEPTION',   'GRANDE', '2026-09-01', 'loi de finances pour 2024, article 91'),
  ('RECEPTION',   'PME',    '2026-09-01', 'loi de finances pour 2024, article 91'),
  ('EMISSION',    'GRANDE', '2026-09-01', 'loi de finances pour 2024, article 91'),
  ('EMISSION',    'PME',    '2027-09-01', 'loi de finances pour 2024, article 91'),
  ('DECLARATION', 'GRANDE', '2026-09-01', 'loi de finances pour 2024, article 91'),
  ('DECLARATION', 'PME',    '2027-09-01', 'loi de finances pour 2024, article 91');

-- A document on its way: deposited once, whatever is tried.
create table depot (
  facture_id uuid primary key references facture,
  etat       text not null check (etat in ('A_DEPOSER', 'DEPOSEE', 'RECUE', 'APPROUVEE', 'REFUSEE', 'REJETEE', 'ENCAISSEE')),
  reference  text unique,
  motif      text not null default '',
  essais     int not null default 0,
  relance_a  timestamptz not null,
  le         timestamptz not null,
  check (etat in ('A_DEPOSER', 'REJETEE') or reference is not null)
);
create index depot_a_faire on depot (relance_a) where etat = 'A_DEPOSER';
create index depot_recent on depot (le desc, facture_id desc);
create index facture_organisation on facture (date_facturation) where siren <> '' and numero is not null;

-- What the platform said, each once.
create table statut_depot (
  id         text primary key,
  facture_id uuid not null references depot,
  etat       text not null,
  motif      text not null,
  le         timestamptz not null,
  recu_a     timestamptz not null
);
revoke update, delete on statut_depot from facture;
revoke delete on depot, obligation from facture;

-- +goose Down
drop table statut_depot, depot, obligation;
drop index facture_organisation;
