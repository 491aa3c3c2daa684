-- The page of arrears and litigation, and who closes months.

-- +goose Up
alter table droit drop constraint if exists droit_page_check;
alter table droit add constraint droit_page_check check (page ~ '^[a-z_]{3,30}$');

insert into droit (role, page, actions) values
  ('super_administrateur', 'relances', 'lcmsve'), ('administrateur', 'relances', 'lcmsve'), ('auditeur', 'relances', 'le'),
  ('superviseur', 'relances', 'lmv'), ('comptable', 'relances', 'lcmve'), ('contentieux', 'relances', 'lcme'), ('conseiller', 'relances', 'lm');
update droit set actions = 'lmve' where role = 'comptable' and page = 'comptabilite';

-- +goose Down
update droit set actions = 'le' where role = 'comptable' and page = 'comptabilite';
delete from droit where page = 'relances';
