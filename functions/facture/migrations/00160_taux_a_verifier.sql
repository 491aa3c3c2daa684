-- Which rates of late payment were read in a secondary source, and wait for the service to check them.

-- +goose Up
alter table taux_retard add a_verifier boolean not null default false;
update taux_retard set a_verifier = true where source like '%à vérifier par le service';

-- +goose Down
alter table taux_retard drop column a_verifier;
