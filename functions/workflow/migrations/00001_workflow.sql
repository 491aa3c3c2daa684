-- +goose Up
-- Definitions of processes. A version is never changed once a plan may have
-- started on it: a new one is a new row, in a migration of its own.
create table definition (
  code    text not null,
  version int not null check (version > 0),
  contenu jsonb not null,
  primary key (code, version)
);

create table plan (
  id         uuid primary key,
  definition text not null,
  version    int not null,
  titre      text not null,
  sujet      uuid not null,  -- what it is about: the contrat
  abonne_id  uuid,
  etat       text not null check (etat in ('EN_COURS', 'TERMINE', 'ECHEC', 'ANNULE')),
  donnees    jsonb not null, -- what its steps have learnt
  cree_a     timestamptz not null,
  termine_a  timestamptz,
  foreign key (definition, version) references definition,
  constraint un_plan_par_sujet unique (definition, sujet),
  constraint termine_un_jour check ((etat in ('TERMINE', 'ANNULE')) = (termine_a is not null))
);
create index plan_etat on plan (etat, id);
create index plan_sujet on plan (sujet);

create table etape (
  plan_id  uuid not null references plan,
  rang     int not null,
  code     text not null,
  etat     text not null check (etat in ('A_VENIR', 'EN_COURS', 'FAITE', 'ECHEC')),
  entree_a timestamptz,
  sortie_a timestamptz,
  jusqua   date,         -- the day that an ATTENTE_DATE waits for
  echeance timestamptz,  -- when an ACTION without answer has failed
  essais   int not null check (essais >= 0),
  detail   text not null,
  primary key (plan_id, rang),
  unique (plan_id, code),
  constraint entree_avant_sortie check (etat = 'A_VENIR' or entree_a is not null),
  constraint sortie_a_la_fin check ((etat in ('FAITE', 'ECHEC')) = (sortie_a is not null))
);
-- What a tick looks for.
create index etape_jusqua on etape (jusqua) where etat = 'EN_COURS';
create index etape_echeance on etape (echeance) where etat = 'EN_COURS';

-- Events for a plan, kept because they may come before the step that waits for them.
create table signal (
  plan_id   uuid not null references plan,
  evenement text not null,
  cle       text not null,  -- what it is about, as the waiting step knows it
  contenu   jsonb not null,
  recu_a    timestamptz not null,
  primary key (plan_id, evenement, cle)
);

-- What happened to a plan; rows are only ever added.
create table trace (
  id      bigint generated always as identity primary key,
  plan_id uuid not null references plan,
  instant timestamptz not null,
  etape   text not null,
  code    text not null,
  texte   text not null,
  par_id  text not null,  -- the user, or empty
  par     text not null   -- the name to show
);
create index trace_plan on trace (plan_id, id);

-- +goose Down
drop table trace, signal, etape, plan, definition;
