-- Whose credit it is leads to it, whatever the statistics say of numbers: those taken while a large run is computed know of
-- no bill with one, and the planner went through all that had one by then for each hundred bills issued.

-- +goose Up
create or replace view credit (abonne_id, paiement_id, avoir_id, date, reste_centimes) as
  select * from (
    select abonne_id, id, null::uuid, recu_le,
           montant_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where paiement_id = p.id) as reste
    from paiement p where not exists (select from rejet where paiement_id = p.id)
    union all
    select abonne_id, null, id, date_facturation,
           -ttc_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where avoir_id = f.id)
    from facture f where etat <> 'CALCULEE' and ttc_centimes < 0) c
  where reste > 0;

-- +goose Down
create or replace view credit (abonne_id, paiement_id, avoir_id, date, reste_centimes) as
  select * from (
    select abonne_id, id, null::uuid, recu_le,
           montant_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where paiement_id = p.id) as reste
    from paiement p where not exists (select from rejet where paiement_id = p.id)
    union all
    select abonne_id, null, id, date_facturation,
           -ttc_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where avoir_id = f.id)
    from facture f where numero is not null and ttc_centimes < 0) c
  where reste > 0;
