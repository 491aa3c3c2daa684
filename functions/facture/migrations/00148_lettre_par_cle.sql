-- The letter of an entry is found by key. Whoever joins a view of sums aggregates all that was ever matched, at each step.

-- +goose Up
-- +goose StatementBegin
create or replace function lettre_de(entree uuid, out lettre text, out le date) stable language sql as $$
  with recursive groupe (id) as (
    select entree union select lien.id from groupe g cross join lateral (
      -- What was matched with it, and not taken back. An entry has the id of what it books.
      select case when source = g.id then cible else source end id from (
        select coalesce(paiement_id, avoir_id) source, coalesce(facture_id, remboursement_id) cible, montant_centimes from lettrage
        where facture_id = g.id or paiement_id = g.id or avoir_id = g.id or remboursement_id = g.id) l
      group by source, cible having sum(montant_centimes) <> 0
      union all select ecriture_id from rejet where paiement_id = g.id and ecriture_id is not null
      union all select paiement_id from rejet where ecriture_id = g.id
      union all select id from non_valeur where facture_id = g.id and etat = 'ADMISE'
      union all select facture_id from non_valeur where id = g.id and etat = 'ADMISE') lien
  )
  select case when count(*) > 1 and sum(m.solde) = 0 then (array_agg(n.exercice || '-' || lpad(n.numero::text, 6, '0') order by n.exercice, n.numero))[1] end,
    case when count(*) > 1 and sum(m.solde) = 0 then greatest(max(e.date), max(l.le)) end
  from groupe g join ecriture e using (id) left join ecriture_numero n on n.ecriture_id = g.id
  cross join lateral (select coalesce(sum(debit_centimes - credit_centimes), 0) solde from mouvement where ecriture_id = g.id and compte = '411') m
  cross join lateral (select max((cree_a at time zone 'Europe/Paris')::date) le from lettrage where facture_id = g.id) l
$$;
-- +goose StatementEnd
drop view lettrage_lien;

-- +goose Down
create view lettrage_lien (a, b) as
  select paiement_id, facture_id from lettrage where paiement_id is not null and facture_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select facture_id, paiement_id from lettrage where paiement_id is not null and facture_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select avoir_id, facture_id from lettrage where avoir_id is not null and facture_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select facture_id, avoir_id from lettrage where avoir_id is not null and facture_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select paiement_id, remboursement_id from lettrage where paiement_id is not null and remboursement_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select remboursement_id, paiement_id from lettrage where paiement_id is not null and remboursement_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select avoir_id, remboursement_id from lettrage where avoir_id is not null and remboursement_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select remboursement_id, avoir_id from lettrage where avoir_id is not null and remboursement_id is not null group by 1, 2 having sum(montant_centimes) <> 0
  union all
  select paiement_id, ecriture_id from rejet where ecriture_id is not null
  union all
  select ecriture_id, paiement_id from rejet where ecriture_id is not null
  union all
  select facture_id, id from non_valeur where etat = 'ADMISE'
  union all
  select id, facture_id from non_valeur where etat = 'ADMISE';
-- +goose StatementBegin
create or replace function lettre_de(entree uuid, out lettre text, out le date) stable language sql as $$
  with recursive groupe (id) as (
    select entree union select l.b from groupe g join lettrage_lien l on l.a = g.id
  )
  select case when count(*) > 1 and sum(m.solde) = 0 then (array_agg(n.exercice || '-' || lpad(n.numero::text, 6, '0') order by n.exercice, n.numero))[1] end,
    case when count(*) > 1 and sum(m.solde) = 0 then greatest(max(e.date), max(l.le)) end
  from groupe g join ecriture e using (id) left join ecriture_numero n on n.ecriture_id = g.id
  cross join lateral (select coalesce(sum(debit_centimes - credit_centimes), 0) solde from mouvement where ecriture_id = g.id and compte = '411') m
  cross join lateral (select max((cree_a at time zone 'Europe/Paris')::date) le from lettrage where facture_id = g.id) l
$$;
-- +goose StatementEnd

