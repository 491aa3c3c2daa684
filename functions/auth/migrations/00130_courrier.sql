-- Who prints letters and takes them to the post.

-- +goose Up
update droit set actions = 'lcm' where page = 'courrier' and role in ('superviseur', 'conseiller', 'comptable', 'contentieux');

-- +goose Down
update droit set actions = 'l' where page = 'courrier' and role in ('superviseur', 'conseiller', 'comptable', 'contentieux');
