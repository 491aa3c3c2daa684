-- What monitoring may know of events when the programs that carry them are down: counts and ages.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'outbox_attente', '', count(*)::double precision from outbox where published_at is null
  union all
  select 'outbox_plus_ancien_secondes', '', coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0) from outbox where published_at is null
  union all
  select 'lettres_mortes', e.etat, count(p.id) filter (where (p.next_try is null) = (e.etat = 'PERSONNE'))
    from unnest(array['REJEU', 'PERSONNE']) as e (etat) left join parking_lot p on p.state = 'ATTENTE' group by e.etat;

-- +goose Down
drop view indicateur;
