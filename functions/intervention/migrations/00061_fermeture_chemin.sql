-- Whoever writes an order, by whatever search_path: the guard asks the pdl of this schema.

-- +goose Up
alter function fermeture_permise() set search_path from current;

-- +goose Down
alter function fermeture_permise() reset search_path;
