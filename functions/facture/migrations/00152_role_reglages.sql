-- A bordereau is written with the codes that it was checked with, whatever the accounting post gives later.

-- +goose Up
alter table role_pes add reglages jsonb;
update role_pes r set reglages = (select jsonb_build_object('entite', entite, 'poste', poste, 'siret', siret, 'collectivite', collectivite, 'budget', budget, 'libelle', libelle,
    'produits', (select jsonb_agg(jsonb_build_object('compte', compte, 'code', code)) from pes_produit c where c.entite = p.entite))
  from pes_reglage p where p.entite = r.entite);

-- +goose Down
alter table role_pes drop column reglages;
