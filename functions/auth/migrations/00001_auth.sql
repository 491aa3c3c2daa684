-- +goose Up

-- Who may do what: a role is a set of actions per page, as data.
create table role (
  code text primary key check (code ~ '^[a-z_]{2,40}$'),
  nom  text not null
);

create table droit (
  role    text not null references role,
  page    text not null check (page in ('tableau', 'abonnes', 'contrats', 'tournees', 'releves', 'tarifs', 'lots', 'factures',
                                        'paiements', 'comptabilite', 'interventions', 'processus', 'courrier', 'utilisateurs', 'portail')),
  actions text not null check (actions ~ '^l?c?m?s?v?e?$' and actions <> ''),  -- lire creer modifier supprimer valider exporter
  primary key (role, page)
);

create table utilisateur (
  id           uuid primary key,
  identifiant  text not null unique check (identifiant = lower(identifiant) and length(identifiant) <= 254),
  nom          text not null check (length(nom) between 1 and 120),
  role         text not null references role,
  abonne_id    uuid,
  etat         text not null check (etat in ('INVITE', 'ACTIF', 'VERROUILLE')),
  mot_de_passe text check (mot_de_passe like '$argon2id$%'),
  cree_a       timestamptz not null default now(),
  check (etat <> 'ACTIF' or mot_de_passe is not null),
  check ((role = 'abonne') = (abonne_id is not null))  -- an abonne sees a file, staff see them by right
);
create index on utilisateur (abonne_id) where abonne_id is not null;
create index on utilisateur (lower(nom), id);

-- A session is a family of refresh tokens: each is used once and replaced by
-- the next. Tokens are kept as hashes only.
create table session (
  id             uuid primary key,
  utilisateur_id uuid not null references utilisateur,
  cree_a         timestamptz not null,
  expire_a       timestamptz not null check (expire_a > cree_a),
  revoquee_a     timestamptz,
  motif          text check (motif in ('DECONNEXION', 'REUTILISATION', 'MOT_DE_PASSE')),
  check ((revoquee_a is null) = (motif is null))
);
create index on session (utilisateur_id);

create table jeton (
  hash       bytea primary key check (length(hash) = 32),
  session_id uuid not null references session,
  cree_a     timestamptz not null,
  expire_a   timestamptz not null,
  utilise_a  timestamptz
);
create index on jeton (session_id);

create table invitation (
  hash           bytea primary key check (length(hash) = 32),
  utilisateur_id uuid not null references utilisateur,
  cree_a         timestamptz not null,
  expire_a       timestamptz not null,
  utilisee_a     timestamptz
);

-- Failed logins in a row, by a hash of what was typed: unknown accounts slow
-- down like known ones, and nothing personal is kept of them.
create table tentative (
  compte       bytea primary key check (length(compte) = 32),
  echecs       int not null check (echecs > 0),
  derniere_a   timestamptz not null,
  bloque_jusqu timestamptz not null
);

-- Every sensitive action, appended only.
create table journal (
  id      bigint generated always as identity primary key,
  instant timestamptz not null,
  action  text not null check (action in ('CONNEXION', 'CONNEXION_REFUSEE', 'DECONNEXION', 'JETON_REUTILISE',
                                          'UTILISATEUR_CREE', 'UTILISATEUR_INVITE', 'INVITATION_ACCEPTEE')),
  acteur  uuid,                              -- who; null for the platform and for strangers
  cible   uuid references utilisateur        -- on whom; null for unknown accounts
);
create index on journal (cible, instant);

-- +goose StatementBegin
create function journal_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is only appended to';
end $$;
-- +goose StatementEnd
create trigger append_only before update or delete on journal for each row execute function journal_append_only();

insert into role (code, nom) values
  ('super_administrateur', 'Super administrateur'), ('administrateur', 'Administrateur'), ('superviseur', 'Superviseur'),
  ('chef_equipe', 'Chef d''équipe'), ('technicien', 'Technicien'), ('agent_saisie', 'Agent de saisie'),
  ('agent_terrain', 'Agent de terrain'), ('conseiller', 'Conseiller clientèle'), ('comptable', 'Comptable'),
  ('contentieux', 'Gestionnaire contentieux'), ('auditeur', 'Auditeur externe'), ('abonne', 'Abonné');

-- The default matrix: one row a role, a letter an action.
insert into droit (role, page, actions)
select m.role, d.page, d.actions
from (values
  ('superviseur',   'tableau=l abonnes=lcm contrats=lcmv tournees=lcv releves=lmv tarifs=lcm lots=lcmve factures=le paiements=lc comptabilite=le interventions=lcmv processus=lmv courrier=l utilisateurs=l'),
  ('chef_equipe',   'tableau=l abonnes=l contrats=l tournees=l releves=l interventions=lcmv processus=l'),
  ('technicien',    'tableau=l interventions=lm'),
  ('agent_saisie',  'tableau=l abonnes=lcm contrats=lcm tournees=lc releves=l'),
  ('agent_terrain', 'tournees=l releves=lc interventions=lm'),
  ('conseiller',    'tableau=l abonnes=lcm contrats=lcm tournees=l releves=lm tarifs=l lots=l factures=l paiements=lc interventions=lcm processus=l courrier=l'),
  ('comptable',     'tableau=l abonnes=l contrats=l releves=l tarifs=lcm lots=lcmve factures=le paiements=lcm comptabilite=le courrier=l'),
  ('contentieux',   'tableau=l abonnes=l contrats=l factures=le paiements=l comptabilite=l courrier=l'),
  ('abonne',        'portail=l')
) as m (role, rights),
lateral (select split_part(r, '=', 1) as page, split_part(r, '=', 2) as actions from unnest(string_to_array(m.rights, ' ')) r) d;

insert into droit (role, page, actions)
select r, page, actions
from unnest(array['tableau', 'abonnes', 'contrats', 'tournees', 'releves', 'tarifs', 'lots', 'factures',
                  'paiements', 'comptabilite', 'interventions', 'processus', 'courrier', 'utilisateurs']) as page,
     (values ('super_administrateur', 'lcmsve'), ('administrateur', 'lcmsve'), ('auditeur', 'le')) as a (r, actions);

-- For the operator's drill `psql -U postgres -d aquaerp -c "SELECT count(*) FROM users;"`;
-- no function's role reads it.
create view public.users as
  select id, identifiant as email, nom as name, role, etat as state, cree_a as created_at from utilisateur;

-- +goose Down
drop view public.users;
drop table journal, tentative, invitation, jeton, session, utilisateur, droit, role;
drop function journal_append_only();
