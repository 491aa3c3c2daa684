-- Contracts that end: their meter's pose is closed, and the PDL is free for another contract.

-- +goose Up
alter table contrat
  add resilie_le date,
  drop constraint contrat_etat_check,
  drop constraint actif_depuis_un_jour,
  drop constraint ouvert_avec_un_compteur,
  add constraint contrat_etat_check check (etat in ('A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'ANNULE', 'RESILIE')),
  add constraint actif_depuis_un_jour check ((etat in ('ACTIF', 'RESILIE')) = (actif_depuis is not null)),
  add constraint ouvert_avec_un_compteur check (etat in ('ACTIF', 'RESILIE') or compteur_prevu is not null),
  add constraint resilie_un_jour check ((etat = 'RESILIE') = (resilie_le is not null) and resilie_le > actif_depuis);
drop index un_contrat_par_pdl;
create unique index un_contrat_par_pdl on contrat (pdl_id) where etat not in ('ANNULE', 'RESILIE');

create or replace view indicateur (nom, etat, valeur) as
  select 'contrats', e.etat, count(c.id)::double precision
    from unnest(array['A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'ANNULE', 'RESILIE']) as e (etat) left join contrat c on c.etat = e.etat group by e.etat
  union all
  select 'abonnes', '', count(*) from abonne
  union all
  select 'pdl', '', count(*) from pdl;

-- +goose Down
drop index un_contrat_par_pdl;
create unique index un_contrat_par_pdl on contrat (pdl_id) where etat <> 'ANNULE';
alter table contrat
  drop constraint resilie_un_jour, drop constraint ouvert_avec_un_compteur, drop constraint actif_depuis_un_jour, drop constraint contrat_etat_check,
  drop column resilie_le,
  add constraint contrat_etat_check check (etat in ('A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'ANNULE')),
  add constraint actif_depuis_un_jour check ((etat = 'ACTIF') = (actif_depuis is not null)),
  add constraint ouvert_avec_un_compteur check (etat = 'ACTIF' or compteur_prevu is not null);
