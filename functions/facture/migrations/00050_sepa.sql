-- Direct debits: who debits, by which mandate, what went to the bank and what came back.

-- +goose Up

-- Who debits for a legal entity.
create table creancier (
  entite text primary key references entite,
  nom    text not null,
  ics    text not null,
  iban   text not null,
  bic    text not null default '',
  format text not null check (format in ('pain.008.001.02', 'pain.008.001.08'))
);

-- Delays and numbers, in force from a day on.
create table regle_sepa (
  code   text not null check (code in ('prenotification_jours', 'prenotification_tolerance_jours', 'caducite_mois', 'presentations_max', 'delai_banque_jours')),
  du     date not null,
  valeur int not null check (valeur >= 0),
  source text not null,
  primary key (code, du)
);
insert into regle_sepa (code, du, valeur, source) values
  ('prenotification_jours', '2014-02-01', 14, 'European Payments Council, SEPA Core Direct Debit Scheme Rulebook (EPC016-06), 4.3.4 : 14 jours calendaires sauf accord'),
  ('prenotification_tolerance_jours', '2014-02-01', 5, 'choix du service : jours après l''échéance imprimée pendant lesquels la facture vaut encore prénotification'),
  ('caducite_mois', '2014-02-01', 36, 'EPC016-06, 4.1 : un mandat sans prélèvement pendant 36 mois est caduc'),
  ('presentations_max', '2014-02-01', 2, 'choix du service : un prélèvement rejeté est représenté une fois'),
  ('delai_banque_jours', '2016-11-21', 2, 'EPC016-06 depuis la version 9.0 : remise à la banque du débiteur un jour ouvré avant ; un jour de plus pour la banque du service');

-- A mandate. facture keeps it, not contrat: who debits must hold the account, and nobody else needs it.
create table mandat (
  id                    uuid primary key,
  abonne_id             uuid not null,
  entite                text not null references creancier,
  rum                   text not null unique check (length(rum) between 1 and 35),
  titulaire             text not null,
  iban                  text not null,
  bic                   text not null default '',
  signe_le              date not null,
  unique_debit          boolean not null,
  prenotification_jours int check (prenotification_jours between 1 and 60),
  etat                  text not null check (etat in ('ACTIF', 'REVOQUE', 'CADUC', 'EPUISE')),
  modifie               boolean not null default false,   -- the account changed since the last debit
  dernier_prelevement   date,
  cree_a                timestamptz not null
);
create unique index mandat_vivant on mandat (abonne_id, entite) where etat = 'ACTIF';
create index mandat_abonne on mandat (abonne_id, cree_a desc);
create sequence mandat_rum;

-- What became of mandates, and who read account numbers: appended only.
create table mandat_evenement (
  id        bigint generated always as identity primary key,
  mandat_id uuid references mandat,
  remise_id uuid,                       -- of FICHIER_LU: the file holds all accounts of the remise
  instant   timestamptz not null,
  action    text not null check (action in ('SIGNE', 'MODIFIE', 'REVOQUE', 'CADUC', 'EPUISE', 'IBAN_LU', 'FICHIER_LU')),
  par       text not null,
  detail    text not null default '',
  check (num_nonnulls(mandat_id, remise_id) = 1)
);
create index mandat_evenement_mandat on mandat_evenement (mandat_id, id);

create table remise (
  id          uuid primary key,
  numero      bigint generated always as identity unique,
  entite      text not null references creancier,
  etat        text not null check (etat in ('PREPAREE', 'VALIDEE', 'ABANDONNEE')),
  jusqua      date not null,
  format      text not null,
  ecartes     jsonb not null default '[]',     -- []message.PrelevementExclu, at most 200
  ecartes_nombre   int not null default 0,
  ecartes_centimes bigint not null default 0,
  cree_a      timestamptz not null,
  cree_par    text not null,
  validee_a   timestamptz,
  validee_par text not null default '',
  fichier     bytea,                            -- what the bank gets, the same for ever
  sha256      text not null default '',
  check ((etat = 'VALIDEE') = (fichier is not null and validee_a is not null))
);
create index remise_recentes on remise (cree_a desc, id desc);
-- One remise at a time is prepared for an entity.
create unique index remise_preparee on remise (entite) where etat = 'PREPAREE';

-- +goose StatementBegin
create function remise_figee() returns trigger language plpgsql as $$
begin
  if old.etat = 'VALIDEE' then
    raise exception 'remise % was validated: it cannot change', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
-- +goose StatementEnd
create trigger remise_figee before update or delete on remise for each row execute function remise_figee();

-- A debit of a remise.
create table remise_ligne (
  id               uuid primary key,
  remise_id        uuid not null references remise,
  prelevement_id   uuid not null references prelevement_a_faire,
  mandat_id        uuid not null references mandat,
  bout             text not null unique check (length(bout) <= 35),   -- EndToEndId
  abonne_id        uuid not null,
  nom              text not null,
  email            text not null default '',
  facture_id       uuid references facture,
  numero           text not null,
  sequence         text not null check (sequence in ('FRST', 'RCUR', 'FNAL', 'OOFF')),
  date             date not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  annonce          boolean not null,              -- told by a letter of its own
  etat             text not null check (etat in ('PREPARE', 'TRANSMIS', 'REGLE', 'REJETE', 'ABANDONNE')),
  paiement_id      uuid references paiement,
  code_rejet       text not null default '',
  rejete_le        date,
  check (etat <> 'REGLE' or paiement_id is not null),
  check ((etat = 'REJETE') = (rejete_le is not null))
);
-- Nothing is debited twice.
create unique index remise_ligne_vivante on remise_ligne (prelevement_id) where etat <> 'ABANDONNE';
create index remise_ligne_remise on remise_ligne (remise_id, id);
create index remise_ligne_facture on remise_ligne (facture_id) where facture_id is not null;
create index remise_ligne_numero on remise_ligne (numero);

-- Why banks reject or return debits, and what the service does then.
create table code_rejet (
  code    text primary key,
  libelle text not null,
  action  text not null check (action in ('REPRESENTER', 'REVOQUER', 'RELANCER', 'CORRIGER')),
  source  text not null default 'ISO 20022, ExternalStatusReason1Code et ExternalReturnReason1Code ; EPC173-14, Guidance on reason codes for SDD R-transactions'
);
insert into code_rejet (code, libelle, action) values
  ('AC01', 'Numéro de compte incorrect', 'REVOQUER'),
  ('AC04', 'Compte clos', 'REVOQUER'),
  ('AC06', 'Compte bloqué', 'RELANCER'),
  ('AC13', 'Le compte est celui d''un professionnel ou d''un consommateur, contre le type de prélèvement', 'REVOQUER'),
  ('AG01', 'Prélèvement interdit sur ce compte', 'REVOQUER'),
  ('AG02', 'Code opération ou séquence incorrects', 'CORRIGER'),
  ('AM04', 'Provision insuffisante', 'REPRESENTER'),
  ('AM05', 'Opération en double', 'RELANCER'),
  ('BE05', 'Identifiant du créancier incorrect', 'CORRIGER'),
  ('CNOR', 'Banque du créancier non enregistrée', 'CORRIGER'),
  ('DNOR', 'Banque du débiteur non enregistrée', 'REVOQUER'),
  ('DT01', 'Date incorrecte', 'CORRIGER'),
  ('ED05', 'Échec du règlement entre banques', 'REPRESENTER'),
  ('FF01', 'Format de fichier incorrect', 'CORRIGER'),
  ('FF05', 'Type de prélèvement incorrect', 'CORRIGER'),
  ('MD01', 'Pas de mandat, ou mandat révoqué', 'REVOQUER'),
  ('MD02', 'Données du mandat absentes ou incorrectes', 'CORRIGER'),
  ('MD06', 'Remboursement demandé par le débiteur', 'RELANCER'),
  ('MD07', 'Débiteur décédé', 'REVOQUER'),
  ('MS02', 'Motif non communiqué par le débiteur', 'RELANCER'),
  ('MS03', 'Motif non communiqué par la banque', 'RELANCER'),
  ('NARR', 'Motif donné en clair par la banque', 'RELANCER'),
  ('RC01', 'Code de banque (BIC) incorrect', 'CORRIGER'),
  ('RR01', 'Identifiant ou compte du débiteur absent (réglementaire)', 'CORRIGER'),
  ('RR02', 'Nom ou adresse du débiteur absents (réglementaire)', 'CORRIGER'),
  ('RR03', 'Nom ou adresse du créancier absents (réglementaire)', 'CORRIGER'),
  ('RR04', 'Motif réglementaire', 'RELANCER'),
  ('SL01', 'Refus du débiteur : liste noire, plafond ou service de sa banque', 'RELANCER'),
  ('TM01', 'Fichier reçu après l''heure limite', 'CORRIGER');

-- A file of the bank, and each movement of it with what became of it.
create table fichier_bancaire (
  id          uuid primary key,
  nom         text not null,
  nature      text not null check (nature in ('pain.002', 'camt.053', 'camt.054')),
  message     text not null,
  emetteur    text not null,             -- whose message identifiers are unique: the account it speaks of, masked, or the remise
  sha256      text not null,
  importe_a   timestamptz not null,
  importe_par text not null,
  constraint fichier_deja_importe unique (sha256),
  constraint message_deja_importe unique (nature, message, emetteur)
);
create index fichier_bancaire_recents on fichier_bancaire (importe_a desc, id desc);

create table operation_bancaire (
  id               uuid primary key,
  fichier_id       uuid not null references fichier_bancaire,
  rang             int not null,
  ligne            int not null,
  cle              text,                 -- what makes the movement itself, whatever file tells of it; null: known already
  date             date,
  credit           boolean not null,
  contre           boolean not null,
  montant_centimes bigint not null,
  devise           text not null,
  statut           text not null,
  remise           text not null,
  lot              text not null,
  bout             text not null,
  rum              text not null,
  motif            text not null,
  nom              text not null,
  libelle          text not null,
  etat             text not null check (etat in ('A_TRAITER', 'ENCAISSEE', 'REJET', 'A_AFFECTER', 'IGNOREE', 'DOUBLON', 'REFUSEE')),
  code             text not null default '',
  detail           text not null default '',
  abonne_id        uuid,
  paiement_id      uuid references paiement,
  unique (fichier_id, rang)
);
create unique index operation_bancaire_cle on operation_bancaire (cle);
create index operation_bancaire_etat on operation_bancaire (etat, id) where etat in ('A_TRAITER', 'A_AFFECTER', 'REFUSEE');

revoke update, delete on regle_sepa, mandat_evenement, code_rejet, fichier_bancaire from facture;

-- +goose Down
drop table operation_bancaire, fichier_bancaire, code_rejet, remise_ligne, remise, mandat_evenement, mandat, regle_sepa, creancier;
drop sequence mandat_rum;
drop function remise_figee;
