-- +goose Up
-- Ranges of dates beside equality of ids, in exclusion constraints.
create extension if not exists btree_gist with schema public;

create table abonne (
  id          uuid primary key,
  nature      text not null check (nature in ('PERSONNE', 'ORGANISATION')),
  nom         text not null check (nom <> ''),
  prenom      text not null,
  email       text not null,
  telephone   text not null,
  voie        text not null,
  complement  text not null,
  code_postal text not null check (code_postal ~ '^[0-9]{5}$'),
  commune     text not null,
  recherche   text not null,  -- name and e-mail, folded: what a search compares and a list is sorted by
  cree_a      timestamptz not null default now()
);
create index abonne_recherche on abonne (recherche, id);

create table pdl (
  id                   uuid primary key,
  reference            text not null unique check (reference <> ''),
  voie                 text not null,
  complement           text not null,
  code_postal          text not null check (code_postal ~ '^[0-9]{5}$'),
  commune              text not null,
  code_insee           text not null check (code_insee ~ '^[0-9][0-9AB][0-9]{3}$'),
  secteur              text not null,
  logements            int not null check (logements between 1 and 5000),
  habitation           boolean not null,
  residence_principale text not null check (residence_principale in ('OUI', 'NON', 'INCONNU')),
  assainissement       boolean not null,
  recherche            text not null  -- reference and street, folded
);

create table compteur (
  id               uuid primary key,
  numero           text not null unique,
  serie            text not null unique check (serie <> ''),
  calibre_mm       int not null check (calibre_mm > 0),
  roues            int not null check (roues between 1 and 9),
  litres_par_unite bigint not null check (litres_par_unite in (1, 10, 100, 1000, 10000)),
  annee            int not null check (annee between 1950 and 2100)
);

-- A meter at a PDL over [du, au): a PDL has one meter a day, a meter one place.
create table pose (
  id          uuid primary key,
  pdl_id      uuid not null references pdl,
  compteur_id uuid not null references compteur,
  du          date not null,
  au          date check (au > du),
  index_debut bigint not null check (index_debut >= 0),
  index_fin   bigint check (index_fin >= 0),
  constraint pose_fermee check ((au is null) = (index_fin is null)),
  constraint un_compteur_par_pdl exclude using gist (pdl_id with =, daterange(du, au) with &&),
  constraint un_pdl_par_compteur exclude using gist (compteur_id with =, daterange(du, au) with &&)
);

create table contrat (
  id                    uuid primary key,
  numero                text not null unique,
  nature                text not null check (nature in ('INDIVIDUEL', 'COLLECTIF', 'RESIDENTIEL', 'AGRICOLE', 'COMMERCIAL', 'INDUSTRIEL')),
  etat                  text not null check (etat in ('A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'ANNULE')),
  version               bigint not null check (version > 0),
  abonne_id             uuid not null references abonne,
  pdl_id                uuid not null references pdl,
  compteur_prevu        uuid references compteur,  -- until a pose says which meter stands there
  debut_souhaite        date not null,
  execution_immediate   boolean not null,
  mode_paiement         text not null check (mode_paiement in ('VIREMENT', 'PRELEVEMENT', 'CHEQUE', 'ESPECES', 'CARTE')),
  signataire            text,
  signe_le              date,
  retractation_jusqu_au date check (retractation_jusqu_au > signe_le),
  actif_depuis          date,
  cree_a                timestamptz not null default now(),
  constraint actif_depuis_un_jour check ((etat = 'ACTIF') = (actif_depuis is not null)),
  constraint ouvert_avec_un_compteur check (etat = 'ACTIF' or compteur_prevu is not null),
  constraint signe_un_jour check (etat not in ('SIGNE', 'EN_RETRACTATION') or signe_le is not null),
  constraint retractation_bornee check (etat <> 'EN_RETRACTATION' or retractation_jusqu_au is not null)
);
-- One living contract per PDL, hence one active contract per PDL and day.
create unique index un_contrat_par_pdl on contrat (pdl_id) where etat <> 'ANNULE';
-- A meter is foreseen for one of them.
create unique index un_contrat_par_compteur_prevu on contrat (compteur_prevu) where etat <> 'ANNULE';
create index contrat_abonne on contrat (abonne_id, id);
create index contrat_etat on contrat (etat, id);

-- What happened to a contract and who did it; rows are only ever added.
create table journal (
  id         bigint generated always as identity primary key,
  contrat_id uuid not null references contrat,
  instant    timestamptz not null,
  code       text not null,
  texte      text not null,
  par_id     text not null,  -- the user, or empty
  par        text not null   -- the name to show
);
create index journal_contrat on journal (contrat_id, id);

-- Number series of contracts: a row is locked by who takes a number, until commit.
create table serie (
  cle text primary key,  -- C-<letter>-<zone>-<yy>
  n   bigint not null check (n > 0)
);

-- +goose Down
drop table serie, journal, contrat, pose, compteur, pdl, abonne;
