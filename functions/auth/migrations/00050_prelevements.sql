-- The page of direct debits: lire sees mandates and remises, creer and modifier keep mandates and prepare, valider
-- writes the bank's file, exporter takes it and reads whole account numbers.

-- +goose Up
-- A page is what some function asks for; the table no longer lists them.
alter table droit drop constraint droit_page_check, add constraint droit_page_check check (page ~ '^[a-z_]{2,40}$');

insert into droit (role, page, actions) values
  ('super_administrateur', 'prelevements', 'lcmsve'), ('administrateur', 'prelevements', 'lcmsve'), ('auditeur', 'prelevements', 'l'),
  ('comptable', 'prelevements', 'lcmve'), ('superviseur', 'prelevements', 'lv'), ('conseiller', 'prelevements', 'lcm'), ('contentieux', 'prelevements', 'l');

-- +goose Down
delete from droit where page = 'prelevements';
alter table droit drop constraint droit_page_check, add constraint droit_page_check
  check (page in ('tableau', 'abonnes', 'contrats', 'tournees', 'releves', 'tarifs', 'lots', 'factures',
                  'paiements', 'comptabilite', 'interventions', 'processus', 'courrier', 'utilisateurs', 'portail'));
