-- Who approves a refund, and who grants a plan of payment.

-- +goose Up
update droit set actions = 'lcmv' where role = 'superviseur' and page = 'paiements';
update droit set actions = 'lc' where role = 'contentieux' and page = 'paiements';

-- +goose Down
update droit set actions = 'lc' where role = 'superviseur' and page = 'paiements';
update droit set actions = 'l' where role = 'contentieux' and page = 'paiements';
