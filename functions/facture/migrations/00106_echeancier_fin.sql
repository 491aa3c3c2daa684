-- A plan whose part is missed beyond its days of grace ends for good; a year of monthly debits is renewed.

-- +goose Up
alter table echeancier
  add rompu    boolean not null default false,             -- fin_le is the day on which a missed part ended it
  add depuis   date,                                       -- monthly: bills dated from then on are its own; null: from cree_le
  add suite_de uuid unique references echeancier,          -- monthly: the year that it renews
  add constraint echeancier_rompu check (not rompu or fin_le is not null and regularise_par is null);
create index echeancier_vivant on echeancier (id) where fin_le is null;

-- A part that is yet to be debited is not missed while a mandate allows it: the service is late, not the abonne. Money
-- that the bank took back may be brought within the days of grace too.
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
create or replace function en_echeancier(facture uuid, le date) returns boolean language sql stable as $$
  select exists (select from echeancier_facture where facture_id = facture and echeancier_etat(echeancier_id, le) = 'EN_COURS')
      or exists (select from echeancier e join facture f on f.abonne_id = e.abonne_id
        where f.id = en_echeancier.facture and e.nature = 'MENSUALISATION' and f.date_facturation >= coalesce(e.depuis, e.cree_le) and echeancier_etat(e.id, le) = 'EN_COURS')
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function echeancier_etat(plan uuid, le date) returns text language sql stable as $$
  select case
    when e.fin_le is not null and e.regularise_par is null then 'ANNULE'
    when e.regularise_par is not null or p.paye_centimes >= e.montant_centimes and e.nature = 'ECHEANCIER' then 'SOLDE'
    when p.paye_centimes < (select coalesce(sum(montant_centimes), 0) from echeance where echeancier_id = plan and date + e.grace < le) then 'ROMPU'
    else 'EN_COURS' end
  from echeancier e join echeancier_paye p on p.echeancier_id = e.id where e.id = plan
$$;
create or replace function en_echeancier(facture uuid, le date) returns boolean language sql stable as $$
  select exists (select from echeancier_facture where facture_id = facture and echeancier_etat(echeancier_id, le) = 'EN_COURS')
      or exists (select from echeancier e join facture f on f.abonne_id = e.abonne_id
        where f.id = en_echeancier.facture and e.nature = 'MENSUALISATION' and f.date_facturation >= e.cree_le and echeancier_etat(e.id, le) = 'EN_COURS')
$$;
-- +goose StatementEnd
drop index echeancier_vivant;
alter table echeancier drop column suite_de, drop column depuis, drop column rompu;
