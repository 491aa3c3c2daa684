-- Who asked for a refund and who decided on it, as they were called then.

-- +goose Up
alter table remboursement
  add demande_nom text not null default '',
  add decide_nom  text not null default '';

-- +goose Down
alter table remboursement drop column demande_nom, drop column decide_nom;
