-- Field work: who goes where, and what they found.

-- +goose Up

create table intervention (
  id             uuid primary key, -- of version 7: ordered by time
  numero         text not null unique,
  etat           text not null check (etat in ('PLANIFIEE', 'AFFECTEE', 'ACCEPTEE', 'EN_ROUTE', 'SUR_PLACE', 'REALISEE', 'IMPOSSIBLE', 'ANNULEE')),
  version        bigint not null,
  nature         text not null check (nature in ('OUVERTURE', 'FERMETURE', 'POSE', 'CHANGEMENT', 'RELEVE', 'FUITE', 'REPARATION')),
  priorite       text not null check (priorite in ('URGENTE', 'NORMALE', 'BASSE')),
  prevue_le      date not null,
  contrat_id     uuid,
  abonne_id      uuid,
  pdl_id         uuid not null,
  pdl            text not null, -- reference
  compteur       text not null,
  adresse        jsonb not null,
  contact        text not null,
  consigne       text not null,
  plan           uuid,
  technicien     uuid,
  nom_technicien text not null default '',
  cree_a         timestamptz not null,
  realisee_a     timestamptz,
  compte_rendu   jsonb,
  motif          text not null default '',
  check (etat not in ('AFFECTEE', 'ACCEPTEE', 'EN_ROUTE', 'SUR_PLACE', 'REALISEE') or technicien is not null),
  check ((etat = 'REALISEE') = (compte_rendu is not null)),
  check ((etat = 'REALISEE') = (realisee_a is not null)),
  check ((etat = 'IMPOSSIBLE') = (motif <> ''))
);

-- A plan has one order of a nature, unless that one came to nothing.
create unique index intervention_plan on intervention (plan, nature) where etat not in ('IMPOSSIBLE', 'ANNULEE');
create index intervention_jour on intervention (prevue_le, id);
create index intervention_abonne on intervention (abonne_id, prevue_le, id);
create index intervention_technicien on intervention (technicien, prevue_le, id);
create index intervention_contrat on intervention (contrat_id) where etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE');

-- The last number taken in a year; its row is locked until the order is written.
create table numerotation (
  annee   integer primary key,
  dernier bigint not null
);

-- What contrat tells of a PDL: whether water may be cut there.
create table pdl (
  id                   uuid primary key,
  contrat_id           uuid not null,
  version              bigint not null, -- of the contract
  residence_principale text not null check (residence_principale in ('OUI', 'NON', 'INCONNU'))
);

-- Contracts that came to nothing: what is ordered for them later is refused.
create table contrat_annule (
  id uuid primary key
);
