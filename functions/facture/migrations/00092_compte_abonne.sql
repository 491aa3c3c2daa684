-- The account of an abonne has refunds and debts given up, both.

-- +goose Up
create or replace view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id
  union all
  select abonne_id, paye_le, 'REMBOURSEMENT', id, piece, montant_centimes from remboursement where etat = 'PAYE'
  union all
  select n.abonne_id, n.le, 'NON_VALEUR', n.id, f.numero, -n.montant_centimes from non_valeur n join facture f on f.id = n.facture_id where n.etat = 'ADMISE';

-- +goose Down
select 1; -- the view of before would forget refunds
