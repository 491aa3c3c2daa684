-- What monitoring may know: counts of messages, never to whom.

-- +goose Up
create view indicateur (nom, etat, valeur) as
  select 'envois', e.etat, count(m.id)::double precision
    from unnest(array['ATTENTE_PIECE', 'QUEUED', 'SENDING', 'SENT', 'FAILED']) as e (etat) left join envoi m on m.etat = e.etat group by e.etat
  union all
  -- A letter waits for whoever prints it; a mail that waits is late.
  select 'courriel_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING') and canal = 'EMAIL';

-- +goose Down
drop view indicateur;
