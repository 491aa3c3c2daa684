-- The notice of a leak, and avoirs.

-- +goose Up
alter table envoi drop constraint envoi_modele_check;
alter table envoi add constraint envoi_modele_check check (modele ~ '^[A-Z][A-Z_]*$'); -- a template of modeles/

-- +goose Down
alter table envoi drop constraint envoi_modele_check;
alter table envoi add constraint envoi_modele_check check (modele in ('BIENVENUE', 'INVITATION', 'FACTURE'));
