-- Billing runs from end to end: what part of the service a run bills, chunks that are resumed and issued one by one,
-- a second person who approves, and numbers reserved before they are given.

-- +goose Up
alter table contrat add secteur text not null default ''; -- message.PDL.Secteur: the round that reads its meter
create index contrat_numero on contrat (numero, id);

-- Everybody, or exactly one: two runs meet where their extents do.
create type etendue as range (subtype = text);

alter table lot
  add commune      text not null default '',      -- '' is all of them, as for profil and secteur
  add profil       text not null default '',
  add secteur      text not null default '',
  add cree_nom     text not null default '',
  add controle_a   timestamptz,
  add controle_par text not null default '',
  add controle_nom text not null default '',
  add relance_a    timestamptz not null default now(), -- when its chunks were last asked for
  add relances     int not null default 0,
  drop constraint lot_etat_check,
  add constraint lot_etat_check check (etat in ('PREPARE', 'CALCULE', 'CONTROLE', 'EMISSION', 'EMIS', 'REJETE')),
  drop constraint lots_chevauchants,
  add constraint lots_chevauchants exclude using gist (daterange(du, au) with &&,
    (case commune when '' then etendue(null, null) else etendue(commune, commune, '[]') end) with &&,
    (case profil when '' then etendue(null, null) else etendue(profil, profil, '[]') end) with &&,
    (case secteur when '' then etendue(null, null) else etendue(secteur, secteur, '[]') end) with &&)
    where (etat in ('PREPARE', 'CALCULE', 'CONTROLE', 'EMISSION'));

-- A chunk is the contracts whose numbers lie from de to a. What it computed is kept, so that a run is summed by chunk and not by bill.
alter table lot_tranche
  add de          text not null default '',
  add a           text not null default '',
  add contrats    int not null default 0,
  add calculee_a  timestamptz,
  add emise_a     timestamptz,
  add factures    int not null default 0,
  add erreurs     int not null default 0,
  add estimees    int not null default 0,
  add anormales   int not null default 0,
  add volume_litres        bigint not null default 0,
  add ht_centimes          bigint not null default 0,
  add tva_centimes         bigint not null default 0,
  add ttc_centimes         bigint not null default 0,
  add distribution_centimes bigint not null default 0,
  add eaux_usees_centimes  bigint not null default 0,
  add organismes_centimes  bigint not null default 0,
  add taux        jsonb not null default '[]',    -- []message.TVAFacture
  add motif       text not null default '',       -- why it was refused, until it is computed
  add check (emise_a is null or calculee_a is not null);

-- The numbers of a chunk: factures of an entity, after base in serie once they are reserved.
create table lot_numeros (
  lot_id   uuid not null references lot,
  tranche  int not null,
  entite   text not null references entite,
  factures int not null check (factures > 0),
  serie    text references serie,
  base     bigint,
  primary key (lot_id, tranche, entite),
  check ((serie is null) = (base is null))
);

-- HT by rubrique, so that nothing has to open the lines of a bill to sum it. Null where the bill is older than the columns.
alter table facture
  add distribution_centimes bigint,
  add eaux_usees_centimes   bigint,
  add organismes_centimes   bigint,
  add constraint facture_rubriques_check check (ht_centimes = distribution_centimes + eaux_usees_centimes + organismes_centimes);
drop index facture_lot;
create index facture_lot on facture (lot_id, contrat);

-- Only an issued bill is looked at: a computed one changes freely.
drop trigger facture_figee on facture;
create trigger facture_figee before update or delete on facture for each row when (old.numero is not null) execute function facture_figee();

-- What an entity asks of its runs before they are issued.
create table controle_lot (
  entite             text primary key references entite,
  deux_personnes     boolean not null,            -- false where one clerk is all there is
  forte_centimes     bigint not null check (forte_centimes > 0),  -- a bill from this TTC on is shown
  fort_litres        bigint not null check (fort_litres > 0),     -- so is one from this volume on
  source             text not null
);
insert into controle_lot values ('principale', true, 200000, 1000000, 'réglage de départ, à revoir par le service');

-- +goose Down
drop table controle_lot;
drop trigger facture_figee on facture;
create trigger facture_figee before update or delete on facture for each row execute function facture_figee();
drop index facture_lot;
create index facture_lot on facture (lot_id, id);
alter table facture drop constraint facture_rubriques_check, drop column distribution_centimes, drop column eaux_usees_centimes, drop column organismes_centimes;
drop table lot_numeros;
alter table lot_tranche drop column de, drop column a, drop column contrats, drop column calculee_a, drop column emise_a, drop column factures, drop column erreurs,
  drop column estimees, drop column anormales, drop column volume_litres, drop column ht_centimes, drop column tva_centimes, drop column ttc_centimes,
  drop column distribution_centimes, drop column eaux_usees_centimes, drop column organismes_centimes, drop column taux, drop column motif;
alter table lot drop constraint lots_chevauchants, drop constraint lot_etat_check,
  drop column commune, drop column profil, drop column secteur, drop column cree_nom, drop column controle_a, drop column controle_par, drop column controle_nom, drop column relance_a, drop column relances,
  add constraint lot_etat_check check (etat in ('PREPARE', 'CALCULE', 'EMISSION', 'EMIS', 'REJETE')),
  add constraint lots_chevauchants exclude using gist (daterange(du, au) with &&) where (etat in ('PREPARE', 'CALCULE', 'EMISSION'));
drop type etendue;
drop index contrat_numero;
alter table contrat drop column secteur;
