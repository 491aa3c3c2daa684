-- Readings: what meters showed, and what was made of it.

-- +goose Up

-- A copy of what the events of contrat tell; never written for any other reason.
create table contrat (
  id        uuid primary key,
  version   bigint not null, -- of the last event taken
  abonne_id uuid not null,
  nom       text not null,
  pdl_id    uuid not null,
  pdl       text not null, -- reference
  adresse   text not null,
  logements integer not null check (logements >= 1)
);

create index contrat_pdl on contrat (pdl);
create index contrat_pdl_id on contrat (pdl_id);
create index contrat_abonne on contrat (abonne_id);

-- A meter at a PDL over [du, au).
create table pose (
  id               uuid primary key,
  contrat_id       uuid not null references contrat,
  compteur         text not null, -- serial number
  calibre_mm       integer not null,
  roues            smallint not null check (roues between 1 and 9),
  litres_par_unite bigint not null check (litres_par_unite >= 1),
  du               date not null,
  au               date check (au >= du)
);

create unique index pose_en_place on pose (contrat_id) where au is null;

create table tournee (
  id         uuid primary key, -- of version 7: ordered by time
  libelle    text not null,
  importee_a timestamptz not null,
  lignes     integer not null check (lignes = valides + estimees + suspectes + jsonb_array_length(rejets)),
  valides    integer not null,
  estimees   integer not null,
  suspectes  integer not null,
  rejets     jsonb not null
);

create table releve (
  id            uuid primary key,
  tournee_id    uuid references tournee,
  contrat_id    uuid not null references contrat,
  pose_id       uuid not null references pose,
  date          date not null,
  index         bigint not null check (index >= 0),
  source        text not null check (source in ('AGENT', 'ABONNE', 'TELERELEVE', 'ESTIMATION', 'POSE', 'DEPOSE')),
  etat          text not null check (etat in ('VALIDEE', 'SUSPECTE', 'CONFIRMEE', 'REJETEE', 'ESTIMEE', 'REMPLACEE')),
  volume_litres bigint not null check (volume_litres >= 0),
  jours         integer not null check (jours >= 0),
  motifs        jsonb not null,
  remplace      uuid references releve, -- the estimate that this reading reverses
  decision      text, -- why it was rejected
  decide_par    text,
  decide_a      timestamptz,
  check (source = 'ESTIMATION' and etat in ('ESTIMEE', 'REMPLACEE') or source <> 'ESTIMATION' and etat not in ('ESTIMEE', 'REMPLACEE')),
  check (etat = 'SUSPECTE' or etat in ('CONFIRMEE', 'REJETEE') and decide_a is not null or etat in ('VALIDEE', 'ESTIMEE', 'REMPLACEE'))
);

-- One accepted index a day, one doubtful one, and at most one estimate that nothing has reversed.
create unique index releve_jour on releve (pose_id, date) where etat in ('VALIDEE', 'CONFIRMEE', 'ESTIMEE');
create unique index releve_suspect on releve (pose_id, date) where etat = 'SUSPECTE';
create unique index releve_estimation on releve (pose_id) where etat = 'ESTIMEE';
create unique index releve_reprise on releve (remplace) where remplace is not null;
create index releve_contrat on releve (contrat_id, date desc, id desc);
create index releve_file on releve (id) where etat = 'SUSPECTE';
create index releve_tournee on releve (tournee_id) where etat = 'SUSPECTE';
create index releve_date on releve (date) where etat in ('VALIDEE', 'CONFIRMEE', 'ESTIMEE');
