-- What a comptable public collects: titles and roles, sent to the DGFiP as PES v2 (PES Recette Aller, ORMC).

-- +goose Up

-- How the accounting post knows an entity. It gives these codes; none is guessed.
create table pes_reglage (
  entite       text primary key references entite,
  poste        text not null check (poste ~ '^([0-9]{6,7}|02[AB][0-9]{3,4})$'),  -- IdPost, codique of the post
  siret        text not null check (siret ~ '^[0-9]{14}$'),                      -- IdColl, SIRET of the budget
  collectivite text not null check (collectivite ~ '^[0-9A-Za-z]{3}$'),          -- CodCol
  budget       text not null check (budget ~ '^[0-9A-Z][0-9]$'),                 -- CodBud
  libelle      text not null                                                     -- LibelleColBud
);
-- CodProdLoc of an account.
create table pes_produit (
  entite text not null references entite,
  compte text not null references compte,
  code   text not null check (code ~ '^[0-9A-Za-z]{1,4}$'),
  primary key (entite, compte)
);

-- What an organisation is for the DGFiP, by the first digits of its SIREN; the longest that fits.
create table pes_categorie (
  prefixe   text primary key check (prefixe ~ '^[0-9]*$'),
  categorie text not null,
  nature    text not null,
  source    text not null
);
insert into pes_categorie values
  ('',   '60', '03', 'PES v2, CatTiers 60 personnes morales de droit privé, NatJur 03 sociétés'),
  ('1',  '20', '07', 'SIREN d''un organisme de l''État (INSEE) ; PES v2, CatTiers 20, NatJur 07'),
  ('21', '23', '09', 'SIREN d''une commune (INSEE) ; PES v2, CatTiers 23, NatJur 09'),
  ('22', '22', '09', 'SIREN d''un département (INSEE) ; PES v2, CatTiers 22, NatJur 09'),
  ('23', '21', '09', 'SIREN d''une région (INSEE) ; PES v2, CatTiers 21, NatJur 09'),
  ('20', '24', '09', 'SIREN d''un groupement (INSEE) ; PES v2, CatTiers 24, NatJur 09'),
  ('24', '24', '09', 'SIREN d''un groupement (INSEE) ; PES v2, CatTiers 24, NatJur 09'),
  ('25', '24', '09', 'SIREN d''un syndicat (INSEE) ; PES v2, CatTiers 24, NatJur 09');

-- A bordereau. ROLE: the bills of a lot, many debtors (ORMC); TITRES: single bills; REDUCTIONS: what takes titles of the year back.
create table role_pes (
  id             uuid primary key,
  entite         text not null references entite,
  nature         text not null check (nature in ('ROLE', 'TITRES', 'REDUCTIONS')),
  exercice       int not null,
  numero         int not null check (numero > 0),        -- IdBord: without a gap within entity, year and nature
  lot_id         uuid references lot,
  objet          text not null,
  date           date not null,
  pieces         int not null check (pieces between 1 and 99999), -- NbrPce has five digits
  ht_centimes    bigint not null check (ht_centimes > 0),
  tva_centimes   bigint not null check (tva_centimes >= 0),
  cree_a         timestamptz not null,
  cree_par       text not null,
  unique (entite, exercice, nature, numero),
  check ((nature = 'ROLE') = (lot_id is not null))
);
-- A bill is transmitted once.
create table role_article (
  role_id    uuid not null references role_pes,
  rang       int not null check (rang > 0),               -- IdPce: article of a role, or number of a title
  facture_id uuid not null unique references facture,
  primary key (role_id, rang)
);
revoke update, delete on role_pes, role_article, pes_categorie from facture;

-- +goose Down
drop table role_article, role_pes, pes_categorie, pes_produit, pes_reglage;
