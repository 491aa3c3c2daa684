-- Who issues avoirs, bills of works and last bills, and records certificates of leaks.

-- +goose Up
update droit set actions = 'lcme' where page = 'factures' and role in ('superviseur', 'comptable');

-- +goose Down
update droit set actions = 'le' where page = 'factures' and role in ('superviseur', 'comptable');
