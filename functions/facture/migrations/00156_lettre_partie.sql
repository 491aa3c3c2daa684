-- The day on which a letter left, by mail or by post: its notice runs from then (décret n° 2008-780, art. 1).

-- +goose Up
alter table relance add partie_le date; -- null: it has not left
update relance set partie_le = le; -- nobody said, and what follows was planned from that day
-- Code from before this column takes a letter for sent when it writes it.
alter table relance alter partie_le set default (now() at time zone 'Europe/Paris')::date;
grant update (partie_le) on relance to facture;

-- +goose Down
alter table relance drop partie_le;
