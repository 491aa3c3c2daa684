-- +goose Up
create extension if not exists btree_gist with schema public;

-- What facture keeps of contracts, meters and readings, from their events.
create table contrat (
  id             uuid primary key,
  numero         text not null,
  version        bigint not null,
  abonne_id      uuid not null,
  nom            text not null,
  email          text not null default '',
  adresse        jsonb not null,           -- where the bill goes, message.Adresse
  pdl            text not null,
  lieu           text not null,            -- address of the PDL, one line
  logements      int not null check (logements >= 1),
  assainissement boolean not null,
  habitation     boolean not null,
  mode_paiement  text not null,
  depuis         date not null
);
create index contrat_abonne on contrat (abonne_id);

create table pose (
  id               uuid primary key,
  contrat_id       uuid not null,
  serie            text not null,
  roues            int not null check (roues between 1 and 9),
  litres_par_unite bigint not null check (litres_par_unite >= 1),
  du               date not null,
  au               date,
  index_debut      bigint not null check (index_debut >= 0),
  index_fin        bigint check (index_fin >= 0),
  check ((au is null) = (index_fin is null)),
  check (au is null or au >= du)
);
create index pose_contrat on pose (contrat_id);

create table releve (
  id         uuid primary key,
  contrat_id uuid not null,
  pose_id    uuid not null,
  date       date not null,
  index      bigint not null check (index >= 0),
  estimee    boolean not null
);
create index releve_contrat on releve (contrat_id, date);

-- Estimates that a real reading reversed: known maybe before the estimate itself is.
create table remplacement (
  releve_id uuid primary key
);

-- Tariffs: data with dates and a source, never constants.
create table grille (
  id              uuid primary key,
  code            text not null unique,
  service         text not null check (service in ('eau', 'assainissement')),
  periode         daterange not null check (not isempty(periode)),
  part_fixe_an_ue bigint not null check (part_fixe_an_ue >= 0),
  tranches        jsonb not null,           -- []message.Tranche
  tva_pm          bigint not null check (tva_pm between 0 and 1000),
  deliberation    text not null,
  rurale          boolean not null,
  touristique     boolean not null,
  constraint grilles_chevauchantes exclude using gist (service with =, periode with &&)
);

create table redevance (
  id             uuid primary key,
  code           text not null,
  libelle        text not null,
  service        text not null check (service in ('eau', 'assainissement')),
  periode        daterange not null check (not isempty(periode)),
  taux_m3_ue     bigint not null check (taux_m3_ue >= 0),
  coefficient_pm bigint not null check (coefficient_pm between 0 and 1000),
  tva_pm         bigint not null check (tva_pm between 0 and 1000),
  source         text not null,
  constraint redevances_chevauchantes exclude using gist (code with =, service with =, periode with &&)
);

-- Billing runs.
create table lot (
  id               uuid primary key,
  libelle          text not null,
  etat             text not null check (etat in ('PREPARE', 'CALCULE', 'EMISSION', 'EMIS', 'REJETE')),
  du               date not null,
  au               date not null check (au > du),
  date_facturation date not null,
  echeance         date not null check (echeance >= date_facturation + 14),
  contrats         int not null check (contrats > 0),
  tranches         int not null check (tranches > 0),
  faites           int not null default 0 check (faites <= tranches),
  cree_a           timestamptz not null,
  cree_par         text not null,
  emis_a           timestamptz,
  motif            text not null default '',
  constraint lots_chevauchants exclude using gist (daterange(du, au) with &&) where (etat in ('PREPARE', 'CALCULE', 'EMISSION'))
);
create index lot_recents on lot (cree_a desc, id desc);

create table lot_tranche (
  lot_id  uuid not null references lot,
  tranche int not null,
  primary key (lot_id, tranche)               -- a chunk is computed once
);

create table lot_erreur (
  lot_id     uuid not null references lot,
  contrat_id uuid not null,
  numero     text not null,
  code       text not null,
  detail     text not null,
  detail_en  text not null,
  primary key (lot_id, contrat_id)
);

-- Numbers are continuous and chronological (CGI annexe II, 242 nonies A): a
-- row per series, locked by the transaction that issues.
create table serie (
  code    text primary key,
  dernier bigint not null check (dernier >= 0),
  date    date not null
);

create table facture (
  id               uuid primary key,
  lot_id           uuid not null references lot,
  contrat_id       uuid not null,
  contrat          text not null,
  abonne_id        uuid not null,
  nom              text not null,
  email            text not null,
  adresse          jsonb not null,
  pdl              text not null,
  lieu             text not null,
  mode_paiement    text not null,
  periode          daterange not null,        -- of the lot: billed once
  du               date not null,             -- first day of consumption
  au               date not null check (au > du),
  date_facturation date not null,
  echeance         date not null,
  serie            text references serie,
  rang             bigint,
  numero           text unique,
  etat             text not null check (etat in ('CALCULEE', 'EMISE', 'PARTIELLE', 'PAYEE')),
  estimee          boolean not null,
  anormale         boolean not null,
  volume_litres    bigint not null,
  ht_centimes      bigint not null,
  tva_centimes     bigint not null,
  ttc_centimes     bigint not null,
  paye_centimes    bigint not null default 0,
  lignes           jsonb not null,            -- []message.LigneFacture
  tva              jsonb not null,            -- []message.TVAFacture
  cas              jsonb not null,            -- the case that was priced, tarif.Cas
  emise_a          timestamptz,
  check (ttc_centimes = ht_centimes + tva_centimes),
  check (paye_centimes between 0 and greatest(ttc_centimes, 0)),
  check ((etat = 'CALCULEE') = (numero is null)),
  check ((numero is null) = (rang is null) and (rang is null) = (serie is null)),
  unique (serie, rang),
  constraint facture_unique exclude using gist (contrat_id with =, periode with &&)
);
create index facture_lot on facture (lot_id, id);
create index facture_abonne on facture (abonne_id, date_facturation desc, id desc);
create index facture_contrat on facture (contrat_id, du);
create index facture_ouverte on facture (echeance) where etat in ('EMISE', 'PARTIELLE');

-- +goose StatementBegin
create function facture_figee() returns trigger language plpgsql as $$
begin
  if old.numero is null then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' then
    raise exception 'facture % is issued: it cannot be deleted', old.numero using errcode = 'integrity_constraint_violation';
  end if;
  if (to_jsonb(new) - 'etat' - 'paye_centimes') <> (to_jsonb(old) - 'etat' - 'paye_centimes') then
    raise exception 'facture % is issued: it cannot change', old.numero using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger facture_figee before update or delete on facture for each row execute function facture_figee();

-- Payments and what they paid.
create table paiement (
  id               uuid primary key,
  abonne_id        uuid not null,
  mode             text not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  recu_le          date not null,
  reference        text not null default '',
  cree_a           timestamptz not null,
  cree_par         text not null
);
create index paiement_abonne on paiement (abonne_id, recu_le desc, id desc);

create table lettrage (
  paiement_id      uuid not null references paiement,
  facture_id       uuid not null references facture,
  montant_centimes bigint not null check (montant_centimes > 0),
  primary key (paiement_id, facture_id)
);
create index lettrage_facture on lettrage (facture_id);

-- Double entry: an entry that does not balance cannot be committed, and
-- nothing of it can change.
create table compte (
  numero  text primary key,
  libelle text not null
);
insert into compte (numero, libelle) values
  ('411', 'Abonnés'),
  ('512', 'Banque'),
  ('5112', 'Chèques à encaisser'),
  ('530', 'Caisse'),
  ('44571', 'TVA collectée'),
  ('70111', 'Ventes d''eau aux abonnés'),
  ('70611', 'Redevance d''assainissement collectif'),
  ('70128', 'Redevances perçues pour les organismes publics');

create table ecriture (
  id      uuid primary key,
  date    date not null,
  piece   text not null,
  libelle text not null
);
create index ecriture_piece on ecriture (piece);

create table mouvement (
  ecriture_id     uuid not null references ecriture,
  compte          text not null references compte,
  debit_centimes  bigint not null default 0 check (debit_centimes >= 0),
  credit_centimes bigint not null default 0 check (credit_centimes >= 0),
  check ((debit_centimes = 0) <> (credit_centimes = 0)),
  primary key (ecriture_id, compte)
);

-- +goose StatementBegin
create function ecriture_equilibree() returns trigger language plpgsql as $$
begin
  if (select coalesce(sum(debit_centimes - credit_centimes), 0) from mouvement where ecriture_id = new.ecriture_id) <> 0 then
    raise exception 'ecriture % does not balance', new.ecriture_id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger ecriture_equilibree after insert on mouvement
  deferrable initially deferred for each row execute function ecriture_equilibree();

revoke update, delete on ecriture, mouvement, paiement, lettrage, serie, compte from facture;
grant update on serie to facture;

-- +goose Down
drop table mouvement, ecriture, compte, lettrage, paiement, facture, serie, lot_erreur, lot_tranche, lot, redevance, grille, remplacement, releve, pose, contrat;
drop function facture_figee, ecriture_equilibree;
