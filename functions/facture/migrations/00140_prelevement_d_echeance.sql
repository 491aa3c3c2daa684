-- Money that the bank credited for a part of a plan is its plan's. A part that the bank refused before it was credited
-- has no payment: its days of grace begin with the refusal.

-- +goose Up
update paiement p set echeancier_id = d.echeancier_id from prelevement_a_faire d
  where d.paiement_id = p.id and d.echeancier_id is not null and p.echeancier_id is null;
create index prelevement_rejete on prelevement_a_faire (echeancier_id) where etat = 'REJETE' and echeancier_id is not null;

-- +goose StatementBegin
create or replace function echeancier_etat(plan uuid, le date) returns text language sql stable as $$
  select case
    when e.rompu then 'ROMPU'
    when e.fin_le is not null and e.regularise_par is null then 'ANNULE'
    when e.regularise_par is not null or p.paye_centimes >= e.montant_centimes and e.nature = 'ECHEANCIER' then 'SOLDE'
    when p.paye_centimes < (select coalesce(sum(t.montant_centimes), 0) from echeance t where t.echeancier_id = plan and t.date + e.grace < le
        and not exists (select from prelevement_a_faire d where d.echeancier_id = plan and d.rang = t.rang and (d.etat = 'REMIS'
          or d.etat = 'A_FAIRE' and exists (select from mandat m where m.abonne_id = e.abonne_id and m.etat = 'ACTIF'))))
      and not exists (select from paiement q join rejet r on r.paiement_id = q.id where q.echeancier_id = plan and r.le + e.grace >= echeancier_etat.le)
      and not exists (select from prelevement_a_faire d join remise_ligne l on l.prelevement_id = d.id where d.echeancier_id = plan and d.etat = 'REJETE'
        and l.etat = 'REJETE' and l.rejete_le + e.grace >= echeancier_etat.le) then 'ROMPU'
    else 'EN_COURS' end
  from echeancier e join echeancier_paye p on p.echeancier_id = e.id where e.id = plan
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function echeancier_etat(plan uuid, le date) returns text language sql stable as $$
  select case
    when e.rompu then 'ROMPU'
    when e.fin_le is not null and e.regularise_par is null then 'ANNULE'
    when e.regularise_par is not null or p.paye_centimes >= e.montant_centimes and e.nature = 'ECHEANCIER' then 'SOLDE'
    when p.paye_centimes < (select coalesce(sum(t.montant_centimes), 0) from echeance t where t.echeancier_id = plan and t.date + e.grace < le
        and not exists (select from prelevement_a_faire d where d.echeancier_id = plan and d.rang = t.rang and (d.etat = 'REMIS'
          or d.etat = 'A_FAIRE' and exists (select from mandat m where m.abonne_id = e.abonne_id and m.etat = 'ACTIF'))))
      and not exists (select from paiement q join rejet r on r.paiement_id = q.id where q.echeancier_id = plan and r.le + e.grace >= echeancier_etat.le) then 'ROMPU'
    else 'EN_COURS' end
  from echeancier e join echeancier_paye p on p.echeancier_id = e.id where e.id = plan
$$;
-- +goose StatementEnd
drop index prelevement_rejete;
