-- What each line of a bill came from.

-- +goose Up

-- How an index was obtained: AGENT, ABONNE, TELERELEVE, ESTIMATION, POSE, DEPOSE; '' for readings heard of before it was told.
alter table releve add source text not null default '';

-- Stored with a bill: the case that was priced (cas), what it was made of (origine: meters, readings, deliberations, sources of
-- rates, bills taken back) and, on each line, its rule and its exact amount before rounding. Readings, meters and tariffs live
-- on; these do not. Not stored: what follows from the case by the rules alone (parts of a volume, bounds of slabs). The pass
-- that priced the bill finds them again, and they are shown only when it finds the stored lines too, byte for byte.
alter table facture add origine jsonb; -- null without a case, and on bills computed before this column

-- +goose Down
alter table facture drop column origine;
alter table releve drop column source;
