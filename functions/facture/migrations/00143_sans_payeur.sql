-- What nothing uses. No bank's file tells of a payer's account in a form that may be kept, so no rule goes by it; the
-- columns encaissement.payeur and entite.tva_exigibilite are written no more, and may go once no older version runs.

-- +goose Up
delete from regle_lettrage where code = 'PAYEUR';
drop index encaissement_payeur;
drop index paiement_en_ligne_ouverte;                  -- paiement_en_ligne_facture finds the same
revoke update (tva_exigibilite) on entite from facture;

-- +goose Down
grant update (tva_exigibilite) on entite to facture;
create index paiement_en_ligne_ouverte on paiement_en_ligne (facture_id) where etat = 'INITIE';
create index encaissement_payeur on encaissement (payeur) where payeur is not null;
insert into regle_lettrage values (3, 'PAYEUR', 'Ce compte a déjà payé pour un seul abonné', true);
