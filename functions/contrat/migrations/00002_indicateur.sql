-- What monitoring may know: counts, and nobody's name.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'contrats', e.etat, count(c.id)::double precision
    from unnest(array['A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'ANNULE']) as e (etat) left join contrat c on c.etat = e.etat group by e.etat
  union all
  select 'abonnes', '', count(*) from abonne
  union all
  select 'pdl', '', count(*) from pdl;

-- +goose Down
drop view indicateur;
