-- What monitoring may know: counts of readings.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'releves_suspects', '', count(*)::double precision from releve where etat = 'SUSPECTE'
  union all
  select 'tournees', '', count(*) from tournee
  union all
  select 'releves_importes', v.etat, coalesce(v.n, 0)
    from (select sum(valides) as valides, sum(estimees) as estimees, sum(suspectes) as suspectes, sum(jsonb_array_length(rejets)) as rejetes from tournee) as s,
         lateral (values ('VALIDEE', valides), ('ESTIMEE', estimees), ('SUSPECTE', suspectes), ('REJETEE', rejetes)) as v (etat, n);

-- +goose Down
drop view indicateur;
