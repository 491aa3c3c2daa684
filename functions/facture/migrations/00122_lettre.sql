-- Lettering: which entries of account 411 settle each other.

-- +goose Up
alter table rejet add ecriture_id uuid; -- the entry that took the payment back; null before this column

-- Entries that were matched, both ways. An entry has the id of what it books.
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
create unique index rejet_ecriture on rejet (ecriture_id) where ecriture_id is not null;

-- The letter of an entry: the number of the first of those that settle each other, once they sum to zero on account 411, and the day of
-- the last of them or of their matching.
-- +goose StatementBegin
create function lettre_de(entree uuid, out lettre text, out le date) stable language sql as $$
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

-- +goose Down
drop function lettre_de;
drop view lettrage_lien;
drop index rejet_ecriture;
alter table rejet drop column ecriture_id;
