-- What monitoring may know: counts, and nobody's name.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'utilisateurs', e.etat, count(u.id)::double precision
    from unnest(array['INVITE', 'ACTIF', 'VERROUILLE']) as e (etat) left join utilisateur u on u.etat = e.etat group by e.etat
  union all
  select 'sessions_ouvertes', '', count(*) from session where revoquee_a is null and expire_a > now();

-- +goose Down
drop view indicateur;
