-- Arrears: what the law says as dated data, the file of each unpaid bill, litigation, and what is given up.

-- +goose Up

-- The letters in their order. A delay that depends on help counts when the household has a social tariff or was helped.
create table niveau_relance (
  niveau             int not null check (niveau between 1 and 9),
  periode            daterange not null,
  libelle            text not null,
  apres_jours        int not null check (apres_jours >= 0),  -- of level 1: after the date of the bill, or its due date when later; else after the notice of the level before
  preavis_jours      int not null check (preavis_jours > 0), -- that the letter gives
  preavis_aide_jours int not null check (preavis_aide_jours >= preavis_jours),
  services_sociaux   boolean not null,                       -- the letter names them
  source             text not null,
  constraint niveaux_chevauchants exclude using gist (niveau with =, periode with &&)
);
insert into niveau_relance values
  (1, '[2008-08-13,)', 'Premier courrier', 14, 15, 30, false, 'décret n° 2008-780 du 13 août 2008, art. 1 et 2'),
  (2, '[2008-08-13,)', 'Second courrier', 0, 20, 20, true, 'décret n° 2008-780 du 13 août 2008, art. 1');

-- Figures of the law. An open start says that the day it came into force was not read.
create table parametre_recouvrement (
  code    text not null,
  periode daterange not null,
  valeur  bigint not null check (valeur >= 0),
  unite   text not null,
  source  text not null,
  constraint parametres_chevauchants exclude using gist (code with =, periode with &&)
);
insert into parametre_recouvrement values
  ('fsl_maintien', '[2008-08-13,)', 2, 'mois', 'décret n° 2008-780 du 13 août 2008, art. 3 ; CASF L115-3'),
  ('aide_recente', '(,)', 12, 'mois', 'CGCT L2224-12-2-1'),
  ('majoration_eu', '(,)', 250, 'pour mille', 'CGCT R2224-19-9'),
  ('majoration_eu_delai', '(,)', 3, 'mois', 'CGCT R2224-19-9'),
  ('majoration_eu_mise_en_demeure', '(,)', 15, 'jours', 'CGCT R2224-19-9'),
  ('prescription_regie', '(,)', 48, 'mois', 'CGCT L1617-5, 3°'),
  ('prescription_prive', '(,)', 24, 'mois', 'code de la consommation L218-2');

-- What a late or returned payment costs. Empty: nothing. habitation says whether dwellings pay it.
create table frais_recouvrement (
  code             text not null check (code in ('REJET', 'RETARD')),
  periode          daterange not null,
  habitation       boolean not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  source           text not null,
  constraint frais_chevauchants exclude using gist (code with =, habitation with =, periode with &&)
);

-- Help that a household got: no reject fee, longer delays.
create table aide (
  id        uuid primary key,
  abonne_id uuid not null,
  nature    text not null check (nature in ('FSL', 'CCAS', 'TARIF_SOCIAL')),
  du        date not null,
  au        date,
  cree_a    timestamptz not null,
  cree_par  text not null,
  check (au is null or au >= du)
);
create index aide_abonne on aide (abonne_id, du);

-- A figure of the law on a day.
-- +goose StatementBegin
create function parametre_du(quoi text, jour date) returns int stable language sql as $$
  select valeur::int from parametre_recouvrement where code = quoi and periode @> jour
$$;
-- +goose StatementEnd

-- Whether a household has a social tariff, or was helped not long ago.
-- +goose StatementBegin
create function aidee(abonne uuid, jour date) returns boolean stable language sql as $$
  select exists (select from aide where abonne_id = abonne and du <= jour and
    case nature when 'TARIF_SOCIAL' then coalesce(au >= jour, true) else du + make_interval(months => parametre_du('aide_recente', jour)) >= jour end)
$$;
-- +goose StatementEnd

-- The litigation of an abonne.
create table contentieux (
  id        uuid primary key,
  abonne_id uuid not null,
  nom       text not null,
  etat      text not null check (etat in ('OUVERT', 'CLOS')),
  motif     text not null,
  ouvert_le date not null,
  clos_le   date,
  issue     text not null default '',
  cree_par  text not null,
  check ((etat = 'CLOS') = (clos_le is not null))
);
create unique index contentieux_ouvert on contentieux (abonne_id) where etat = 'OUVERT';

-- The file of an unpaid bill. prochain_le is the day on which time moves it.
create table dossier_relance (
  id             uuid primary key,
  facture_id     uuid not null unique references facture,
  abonne_id      uuid not null,
  etat           text not null check (etat in ('EN_RELANCE', 'A_TRANSMETTRE', 'EN_CONTENTIEUX', 'CLOS', 'ADMIS_EN_NON_VALEUR')),
  niveau         int not null default 0,
  tour           int not null default 1,        -- a notice that must be given anew begins another
  ouvert_le      date not null,
  prochain_le    date,
  contentieux_id uuid references contentieux,
  check ((etat = 'EN_RELANCE') = (prochain_le is not null)),
  check ((etat <> 'EN_CONTENTIEUX') or contentieux_id is not null)
);
create index dossier_abonne on dossier_relance (abonne_id);
create index dossier_du on dossier_relance (prochain_le) where etat = 'EN_RELANCE';

-- A letter that was sent: once for a file, a level and a round.
create table relance (
  id         uuid primary key,
  dossier_id uuid not null references dossier_relance,
  courrier   uuid not null,                     -- what the abonne got: one letter tells of several bills
  niveau     int not null,
  tour       int not null,
  le         date not null,
  limite     date not null check (limite > le), -- last day of the notice
  unique (dossier_id, niveau, tour)
);
create index relance_courrier on relance (courrier);

-- What holds letters up, for all bills of an abonne or for one.
create table suspension (
  id         uuid primary key,
  abonne_id  uuid not null,
  facture_id uuid references facture,
  motif      text not null check (motif in ('FSL', 'ECHEANCIER', 'CONTESTATION', 'AUTRE')),
  detail     text not null,
  du         date not null,
  jusqua     date not null check (jusqua >= du),
  levee_le   date,
  cree_a     timestamptz not null,
  cree_par   text not null
);
create index suspension_abonne on suspension (abonne_id, jusqua);

-- What may be done in a litigation, and whether it interrupts the prescription (code civil 2240, 2241, 2244; CGCT L1617-5).
create table nature_acte (
  code       text primary key,
  libelle    text not null,
  interrompt boolean not null,
  source     text not null
);
insert into nature_acte values
  ('MISE_EN_DEMEURE', 'Mise en demeure recommandée', false, 'CGCT R2224-19-9'),
  ('RECONNAISSANCE', 'Reconnaissance de la dette par l''abonné', true, 'code civil 2240'),
  ('INJONCTION', 'Requête en injonction de payer', false, 'la requête n''interrompt pas, sa signification le fait'),
  ('ASSIGNATION', 'Demande en justice', true, 'code civil 2241'),
  ('SAISIE', 'Acte d''exécution forcée', true, 'code civil 2244'),
  ('ACCORD', 'Accord amiable', false, ''),
  ('NOTE', 'Note', false, '');

create table acte_contentieux (
  id             uuid primary key,
  contentieux_id uuid not null references contentieux,
  nature         text not null references nature_acte,
  le             date not null,
  detail         text not null,
  document_nom   text not null default '',
  document_mime  text not null default '',
  document       bytea,
  sha256         bytea check (length(sha256) = 32),
  cree_a         timestamptz not null,
  cree_par       text not null,
  check ((document is null) = (sha256 is null))
);
create index acte_du_contentieux on acte_contentieux (contentieux_id, le, id);

-- What the service gives up: asked by one person, decided by another.
create table non_valeur (
  id               uuid primary key,
  facture_id       uuid not null references facture,
  abonne_id        uuid not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  motif            text not null,
  etat             text not null check (etat in ('PROPOSEE', 'ADMISE', 'REFUSEE')),
  deliberation     text not null default '',
  le               date,
  propose_par      text not null,
  propose_a        timestamptz not null,
  decide_par       text,
  decide_a         timestamptz,
  check ((etat = 'PROPOSEE') = (decide_par is null)),
  check (decide_par <> propose_par),
  check (etat <> 'ADMISE' or deliberation <> '' and le is not null)
);
create unique index non_valeur_facture on non_valeur (facture_id) where etat <> 'REFUSEE';

-- The surcharge of a sewerage part that was not paid, and the document that asks for it.
create table majoration (
  facture_id uuid primary key references facture,
  piece_id   uuid not null references facture,
  le         date not null
);

-- What was done with the file of a bill, appended only.
create table dossier_evenement (
  id         bigint generated always as identity primary key,
  dossier_id uuid not null references dossier_relance,
  le         timestamptz not null,
  par        text not null,
  code       text not null,
  detail     text not null default ''
);
create index evenement_du_dossier on dossier_evenement (dossier_id, id);

revoke update, delete on niveau_relance, parametre_recouvrement, frais_recouvrement, aide, relance, nature_acte, acte_contentieux, majoration, dossier_evenement from facture;

-- What is given up is owed no more.
create or replace view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id
  union all
  select n.abonne_id, n.le, 'NON_VALEUR', n.id, f.numero, -n.montant_centimes from non_valeur n join facture f on f.id = n.facture_id where n.etat = 'ADMISE';

-- +goose Down
create or replace view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id;
drop function aidee, parametre_du;
drop table dossier_evenement, majoration, non_valeur, acte_contentieux, nature_acte, suspension, relance, dossier_relance, contentieux, aide, frais_recouvrement, parametre_recouvrement, niveau_relance;
