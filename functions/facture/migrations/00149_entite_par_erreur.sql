-- An entity made by mistake goes with what was set for it: nothing rests on rules and codes alone.

-- +goose Up
alter table exigibilite_tva drop constraint exigibilite_tva_entite_fkey, add constraint exigibilite_tva_entite_fkey foreign key (entite) references entite on delete cascade;
alter table pes_reglage drop constraint pes_reglage_entite_fkey, add constraint pes_reglage_entite_fkey foreign key (entite) references entite on delete cascade;
alter table pes_produit drop constraint pes_produit_entite_fkey, add constraint pes_produit_entite_fkey foreign key (entite) references entite on delete cascade;

-- +goose Down
alter table pes_produit drop constraint pes_produit_entite_fkey, add constraint pes_produit_entite_fkey foreign key (entite) references entite;
alter table pes_reglage drop constraint pes_reglage_entite_fkey, add constraint pes_reglage_entite_fkey foreign key (entite) references entite;
alter table exigibilite_tva drop constraint exigibilite_tva_entite_fkey, add constraint exigibilite_tva_entite_fkey foreign key (entite) references entite;
