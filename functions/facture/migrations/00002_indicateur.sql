-- What monitoring may know: counts and sums, in euros and bills, and nobody's name.

-- +goose Up

-- All bills are summed once a minute: from this index alone, never from rows that carry every line of a bill.
create index facture_indicateur on facture (etat) include (echeance, ttc_centimes, paye_centimes);

create view indicateur (nom, etat, valeur) as
  select 'lots', e.etat, count(l.id)::double precision
    from unnest(array['PREPARE', 'CALCULE', 'EMISSION', 'EMIS', 'REJETE']) as e (etat) left join lot l on l.etat = e.etat group by e.etat
  union all
  -- A lot that is worked on and whose chunks do not move has stalled.
  select 'tranches_prevues', '', coalesce(sum(tranches), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'tranches_faites', '', coalesce(sum(faites), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'lot_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'lot_erreurs', '', count(*) from lot_erreur join lot on lot.id = lot_id where lot.etat in ('PREPARE', 'CALCULE')
  union all
  select 'factures', e.etat, count(f.etat)
    from unnest(array['CALCULEE', 'EMISE', 'PARTIELLE', 'PAYEE']) as e (etat) left join facture f on f.etat = e.etat group by e.etat
  union all
  select v.nom, '', v.centimes / 100.0
    from (select coalesce(sum(ttc_centimes), 0) as ttc, coalesce(sum(paye_centimes), 0) as paye,
                 coalesce(sum(ttc_centimes - paye_centimes) filter (where echeance < (now() at time zone 'Europe/Paris')::date), 0) as echu
          from facture where etat in ('EMISE', 'PARTIELLE', 'PAYEE')) as s,
         lateral (values ('facture_ttc_euros', ttc), ('encaisse_euros', paye), ('impaye_echu_euros', echu)) as v (nom, centimes);

-- +goose Down
drop view indicateur;
drop index facture_indicateur;
