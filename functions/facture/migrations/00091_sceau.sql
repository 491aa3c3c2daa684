-- The hash chain over issued bills, and runs that prepare themselves.

-- +goose Up

-- A seal per issued bill, in order of rank within its series: each takes in the seal before it, so that a bill cannot
-- change, come or go without every later seal being wrong.
create table sceau (
  serie      text not null references serie,
  rang       bigint not null check (rang > 0),
  facture_id uuid not null unique references facture,
  precedent  bytea not null,
  empreinte  bytea not null check (length(empreinte) = 32), -- sha256(precedent || sha256(facture_canonique(bill)))
  primary key (serie, rang)
);
revoke update, delete on sceau from facture;

-- +goose StatementBegin
create function sceau_fige() returns trigger language plpgsql as $$
begin
  raise exception 'a seal cannot change' using errcode = 'integrity_constraint_violation';
end $$;
-- +goose StatementEnd
create trigger sceau_fige before update or delete on sceau for each row execute function sceau_fige();

-- What is sealed of a bill: all that never changes, in an order and a form that never change either. Another list of columns is another
-- version and another function; this one stays, for the bills that were sealed with it.
-- +goose StatementBegin
create function facture_canonique(f facture) returns bytea language sql stable as $$
  select convert_to(jsonb_build_array(1, f.serie, f.rang, f.numero, f.id, f.nature, f.corrige_id, f.motif, f.entite, f.lot_id,
    f.contrat_id, f.contrat, f.abonne_id, f.nom, f.email, f.adresse, f.pdl, f.lieu, f.mode_paiement,
    lower(f.periode), upper(f.periode), f.du, f.au, f.date_facturation, f.echeance, extract(epoch from f.emise_a),
    f.estimee, f.anormale, f.volume_litres, f.ht_centimes, f.tva_centimes, f.ttc_centimes, f.lignes, f.tva, f.cas, f.origine)::text, 'UTF8')
$$;
create function maillon(precedent bytea, contenu bytea) returns bytea language sql immutable strict as $$ select sha256(precedent || contenu) $$;
-- +goose StatementEnd
create aggregate chainer (bytea) (sfunc = maillon, stype = bytea); -- strict: begins with the first value as it is

-- Runs that prepare themselves when their period is over.
create table programme_lot (
  id             uuid primary key,
  libelle        text not null,
  mois           int not null check (mois in (1, 2, 3, 4, 6, 12)), -- length of a period
  commune        text not null default '',
  profil         text not null default '',
  secteur        text not null default '',
  prochain_du    date not null,                 -- first day of the period that comes next
  delai_jours    int not null check (delai_jours between 0 and 90),  -- from the end of the period to the run: readings arrive
  echeance_jours int not null check (echeance_jours between 14 and 120),
  actif          boolean not null default true,
  cree_par       text not null,                 -- who therefore may not approve its runs
  cree_nom       text not null default '',
  cree_a         timestamptz not null,
  vu_a           timestamptz,                   -- when it was last its turn
  empechement    text not null default '',      -- why nothing was prepared then
  empechement_en text not null default ''
);
alter table lot add programme_id uuid references programme_lot;
create unique index lot_programme on lot (programme_id, du) where programme_id is not null and etat <> 'REJETE';

create or replace view indicateur (nom, etat, valeur) as
  select 'lots', e.etat, count(l.id)::double precision
    from unnest(array['PREPARE', 'CALCULE', 'CONTROLE', 'EMISSION', 'EMIS', 'REJETE']) as e (etat) left join lot l on l.etat = e.etat group by e.etat
  union all
  -- A lot that is worked on and whose chunks do not move has stalled.
  select 'tranches_prevues', '', coalesce(sum(tranches), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'tranches_faites', '', coalesce(sum(faites), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'lot_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(relance_a)), 0) from lot where etat in ('PREPARE', 'EMISSION')
  union all
  select 'lot_erreurs', '', count(*) from lot_erreur join lot on lot.id = lot_id where lot.etat in ('PREPARE', 'CALCULE', 'CONTROLE')
  union all
  select 'factures', e.etat, count(f.etat)
    from unnest(array['CALCULEE', 'EMISE', 'PARTIELLE', 'PAYEE', 'ANNULEE_PAR_AVOIR', 'ADMISE_EN_NON_VALEUR']) as e (etat) left join facture f on f.etat = e.etat group by e.etat
  union all
  select v.nom, '', v.centimes / 100.0
    from (select coalesce(sum(ttc_centimes), 0) as ttc, coalesce(sum(paye_centimes), 0) as paye,
                 coalesce(sum(ttc_centimes - paye_centimes) filter (where echeance < (now() at time zone 'Europe/Paris')::date), 0) as echu
          from facture where etat in ('EMISE', 'PARTIELLE', 'PAYEE')) as s,
         lateral (values ('facture_ttc_euros', ttc), ('encaisse_euros', paye), ('impaye_echu_euros', echu)) as v (nom, centimes);

-- +goose Down
alter table lot drop column programme_id;
drop table programme_lot;
drop aggregate chainer (bytea);
drop function maillon;
drop function facture_canonique;
drop table sceau;
drop function sceau_fige;
