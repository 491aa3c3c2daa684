-- What monitoring may know: counts of the orders that wait for somebody.

-- +goose Up
create index intervention_ouverte on intervention (etat) include (prevue_le) where etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE');

create view indicateur (nom, etat, valeur) as
  with ouverte as (select etat, prevue_le from intervention where etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE'))
  select 'interventions', e.etat, count(o.etat)::double precision
    from unnest(array['PLANIFIEE', 'AFFECTEE', 'ACCEPTEE', 'EN_ROUTE', 'SUR_PLACE']) as e (etat) left join ouverte o on o.etat = e.etat group by e.etat
  union all
  select 'interventions_en_retard', '', count(*) from ouverte where prevue_le < (now() at time zone 'Europe/Paris')::date;

-- +goose Down
drop view indicateur;
drop index intervention_ouverte;
