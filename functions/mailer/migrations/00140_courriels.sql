-- Mails by state, apart from text messages and letters: an alert holds what the mail server refuses against what it takes.

-- +goose Up
create or replace view indicateur (nom, etat, valeur) as
  select c.nom, e.etat, c.n::double precision
    from unnest(array['ATTENTE_PIECE', 'QUEUED', 'SENDING', 'PRINTED', 'SENT', 'DELIVERED', 'FAILED']) as e (etat),
      lateral (select count(*) tous, count(*) filter (where canal = 'EMAIL') courriels from envoi where envoi.etat = e.etat) as m,
      lateral (values ('envois', m.tous), ('courriels', m.courriels)) as c (nom, n)
  union all
  -- A letter waits for whoever prints it; a mail that waits is late.
  select 'courriel_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING') and canal = 'EMAIL'
  union all
  select 'sms_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('QUEUED', 'SENDING') and canal = 'SMS'
  union all
  select 'lettres_a_imprimer', '', count(*) from envoi where etat = 'QUEUED' and canal = 'COURRIER';

-- +goose Down
create or replace view indicateur (nom, etat, valeur) as
  select 'envois', e.etat, count(m.id)::double precision
    from unnest(array['ATTENTE_PIECE', 'QUEUED', 'SENDING', 'PRINTED', 'SENT', 'DELIVERED', 'FAILED']) as e (etat) left join envoi m on m.etat = e.etat group by e.etat
  union all
  select 'courriel_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING') and canal = 'EMAIL'
  union all
  select 'sms_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('QUEUED', 'SENDING') and canal = 'SMS'
  union all
  select 'lettres_a_imprimer', '', count(*) from envoi where etat = 'QUEUED' and canal = 'COURRIER';
