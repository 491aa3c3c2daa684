-- A series of numbers per legal entity, kind of document and year.

-- +goose Up
alter table serie
  add entite text not null default 'principale' references entite,
  add nature text not null default 'F' check (nature in ('F', 'A')); -- F: bills; A: avoirs
create index serie_suite on serie (entite, nature, date);

-- +goose Down
drop index serie_suite;
alter table serie drop column entite, drop column nature;
