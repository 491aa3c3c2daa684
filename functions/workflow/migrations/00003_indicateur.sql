-- What monitoring may know: counts of plans; one that failed waits for a person.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'plans', e.etat, count(p.id)::double precision
    from unnest(array['EN_COURS', 'TERMINE', 'ECHEC', 'ANNULE']) as e (etat) left join plan p on p.etat = e.etat group by e.etat;

-- +goose Down
drop view indicateur;
