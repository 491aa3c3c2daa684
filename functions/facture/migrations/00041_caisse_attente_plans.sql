-- The cash desk, remises to the bank, money without a name, refunds and plans of payment.

-- +goose Up

insert into compte (numero, libelle) values
  ('658', 'Charges diverses de gestion courante'),
  ('758', 'Produits divers de gestion courante')
on conflict do nothing;

-- Figures that the law or the service sets, by date. a_verifier: read in a secondary source, or for the service to decide.
create table regle_encaissement (
  code       text not null,
  periode    daterange not null check (not isempty(periode)),
  valeur     bigint not null,
  unite      text not null,
  source     text not null,
  a_verifier boolean not null,
  exclude using gist (code with =, periode with &&)
);
insert into regle_encaissement values
  ('PLAFOND_ESPECES', '[2014-01-01,)', 30000, 'centimes par paiement',
   'loi n° 2013-1279 du 29 décembre 2013, article 19 (encaissement par les comptables publics), lue à la préfecture de la Drôme ; un opérateur privé a un autre plafond (CMF D112-3)', true),
  ('GRACE_ECHEANCE', '[2014-01-01,)', 8, 'jours', 'choix du service, à reporter au règlement de service', true),
  ('ECHEANCIER_MOIS', '[2014-01-01,)', 24, 'mois au plus', 'choix du service, à reporter au règlement de service', true),
  ('MENSUALITES', '[2014-01-01,)', 10, 'prélèvements par an', 'usage des services d''eau, à reporter au règlement de service', true);

-- The cash desk: nothing in cash without an open session.
create table caisse (
  code    text primary key,
  libelle text not null,
  compte  text not null references compte,
  ecart_perte text not null references compte,
  ecart_gain  text not null references compte
);
insert into caisse values ('principale', 'Caisse principale', '530', '658', '758');

create table session_caisse (
  id               uuid primary key,
  caisse           text not null references caisse,
  caissier         text not null,            -- id of the user
  nom              text not null,
  ouverte_a        timestamptz not null,
  fond_centimes    bigint not null check (fond_centimes >= 0),
  fermee_a         timestamptz,
  attendu_centimes bigint,                   -- float and receipts in cash, at closing
  compte_centimes  bigint check (compte_centimes >= 0),
  motif            text not null default '',
  check (num_nonnulls(fermee_a, attendu_centimes, compte_centimes) in (0, 3)),
  check (fermee_a is null or compte_centimes = attendu_centimes or motif <> '')
);
create unique index session_caisse_ouverte on session_caisse (caisse) where fermee_a is null;
create unique index session_caisse_caissier on session_caisse (caissier) where fermee_a is null;
-- +goose StatementBegin
create function session_close() returns trigger language plpgsql as $$
begin
  if old.fermee_a is not null then
    raise exception 'session % is closed', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger session_close before update on session_caisse for each row execute function session_close();

-- Money that reached the bank, each movement once; what no abonne has been found for waits on account 471.
create table encaissement (
  id               uuid primary key,
  mouvement        text not null unique,     -- the bank's own id of it
  mode             text not null references moyen,
  montant_centimes bigint not null check (montant_centimes > 0),
  recu_le          date not null,
  libelle          text not null,
  nom              text not null,            -- of the payer, as the bank says it
  payeur           bytea,                    -- keyed hash of the payer's account
  cree_a           timestamptz not null
);
create index encaissement_payeur on encaissement (payeur) where payeur is not null;

alter table paiement
  add session_id      uuid references session_caisse,
  add encaissement_id uuid references encaissement,
  add echeancier_id   uuid,
  add constraint paiement_en_caisse check (mode <> 'ESPECES' or session_id is not null) not valid;
create index paiement_session on paiement (session_id) where session_id is not null;
create index paiement_encaissement on paiement (encaissement_id) where encaissement_id is not null;
create index paiement_piece on paiement (abonne_id, mode, piece) where piece <> '';
alter table rejet
  add en_attente boolean not null default false;  -- the money did not leave: it waits on 471 for its owner

create view attente (id, mouvement, mode, montant_centimes, recu_le, libelle, nom, payeur, reste_centimes) as
  select * from (
    select id, mouvement, mode, montant_centimes, recu_le, libelle, nom, payeur,
           montant_centimes - (select coalesce(sum(p.montant_centimes), 0)::bigint from paiement p
             where p.encaissement_id = e.id and not exists (select from rejet where paiement_id = p.id and en_attente)) as reste
    from encaissement e) r
  where reste > 0;

-- How the owner of money is found, in this order.
create table regle_lettrage (
  rang    int primary key,
  code    text not null unique check (code in ('FACTURE', 'CONTRAT', 'PAYEUR', 'MONTANT_NOM', 'MONTANT')),
  libelle text not null,
  active  boolean not null
);
insert into regle_lettrage values
  (1, 'FACTURE', 'Le libellé cite le numéro d''une facture', true),
  (2, 'CONTRAT', 'Le libellé cite le numéro d''un contrat', true),
  (3, 'PAYEUR', 'Ce compte a déjà payé pour un seul abonné', true),
  (4, 'MONTANT_NOM', 'Une seule facture ouverte a ce montant, et le payeur en porte le nom', true),
  (5, 'MONTANT', 'Une seule facture ouverte a ce montant', false);
grant update (active) on regle_lettrage to facture;

-- What is taken to the bank together.
create table bordereau (
  id               uuid primary key,
  rang             bigint generated always as identity unique,
  mode             text not null references moyen,
  date             date not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  cree_a           timestamptz not null,
  cree_par         text not null
);
create table bordereau_paiement (
  bordereau_id   uuid not null references bordereau,
  paiement_id uuid primary key references paiement
);
create index bordereau_paiements on bordereau_paiement (bordereau_id);
create table bordereau_credite (               -- the bank has confirmed it
  bordereau_id uuid primary key references bordereau,
  mouvement text not null unique,
  le        date not null
);

-- Credit that is paid back: asked, approved by another person, paid.
create table remboursement (
  id               uuid primary key,
  abonne_id        uuid not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  motif            text not null,
  etat             text not null check (etat in ('DEMANDE', 'APPROUVE', 'REFUSE', 'PAYE')),
  demande_par      text not null,
  demande_a        timestamptz not null,
  decide_par       text check (decide_par <> demande_par),
  decide_a         timestamptz,
  refus            text not null default '',
  paye_le          date,
  piece            text not null default '',
  check ((etat = 'DEMANDE') = (decide_par is null)),
  check ((etat = 'PAYE') = (paye_le is not null))
);
create index remboursement_abonne on remboursement (abonne_id);

alter table lettrage
  alter facture_id drop not null,
  add remboursement_id uuid references remboursement,
  add check (num_nonnulls(facture_id, remboursement_id) = 1);
create index lettrage_remboursement on lettrage (remboursement_id) where remboursement_id is not null;

-- +goose StatementBegin
create or replace function lettrage_exact() returns trigger language plpgsql as $$
declare
  donne bigint;
  borne bigint;
begin
  if new.paiement_id is not null then
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where paiement_id = new.paiement_id;
    select case when exists (select from rejet where paiement_id = new.paiement_id) then 0 else montant_centimes end
      into borne from paiement where id = new.paiement_id;
  else
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where avoir_id = new.avoir_id;
    select -ttc_centimes into borne from facture where id = new.avoir_id;
  end if;
  if donne not between 0 and borne then
    raise exception 'lettrage %: % given of %', new.id, donne, borne using errcode = 'integrity_constraint_violation';
  end if;
  if new.facture_id is not null then
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where facture_id = new.facture_id;
    select paye_centimes into borne from facture where id = new.facture_id;
  else
    select coalesce(sum(montant_centimes), 0) into donne from lettrage where remboursement_id = new.remboursement_id;
    select case etat when 'REFUSE' then 0 else montant_centimes end into borne from remboursement where id = new.remboursement_id;
  end if;
  -- A refund that was paid stays so when the payment behind it is taken back.
  if donne <> borne and not (donne < borne and exists (select from remboursement where id = new.remboursement_id and etat = 'PAYE')) then
    raise exception 'lettrage %: % given where % shows', new.id, donne, borne using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- What an abonne is in credit of: payments and negative bills that have not given all.
create view credit (abonne_id, paiement_id, avoir_id, date, reste_centimes) as
  select * from (
    select abonne_id, id, null::uuid, recu_le,
           montant_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where paiement_id = p.id) as reste
    from paiement p where not exists (select from rejet where paiement_id = p.id)
    union all
    select abonne_id, null, id, date_facturation,
           -ttc_centimes - (select coalesce(sum(montant_centimes), 0)::bigint from lettrage where avoir_id = f.id)
    from facture f where numero is not null and ttc_centimes < 0) c
  where reste > 0;
create index facture_credit on facture (abonne_id) where ttc_centimes < 0;

create or replace view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id
  union all
  select abonne_id, paye_le, 'REMBOURSEMENT', id, piece, montant_centimes from remboursement where etat = 'PAYE';

-- A debt in dated parts (ECHEANCIER), or the bills of a year ahead of them (MENSUALISATION).
create table echeancier (
  id               uuid primary key,
  abonne_id        uuid not null,
  nature           text not null check (nature in ('ECHEANCIER', 'MENSUALISATION')),
  montant_centimes bigint not null check (montant_centimes > 0),
  par_prelevement  boolean not null,
  grace            int not null check (grace >= 0),   -- days, as the rule was when it was granted
  motif            text not null,
  cree_le          date not null,
  cree_par         text not null,
  fin_le           date,                              -- ended before its time, or settled by the yearly bill
  fin_motif        text not null default '',
  regularise_par   uuid references facture
);
create index echeancier_abonne on echeancier (abonne_id);
create unique index echeancier_mensuel on echeancier (abonne_id) where nature = 'MENSUALISATION' and fin_le is null;
create table echeance (
  echeancier_id    uuid not null references echeancier,
  rang             int not null check (rang >= 1),
  date             date not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  primary key (echeancier_id, rang)
);
create table echeancier_facture (
  echeancier_id    uuid not null references echeancier,
  facture_id       uuid not null references facture,
  montant_centimes bigint not null check (montant_centimes > 0),
  primary key (echeancier_id, facture_id)
);
create index echeancier_de_facture on echeancier_facture (facture_id);
alter table paiement add foreign key (echeancier_id) references echeancier;
create index paiement_echeancier on paiement (echeancier_id) where echeancier_id is not null;
alter table prelevement_a_faire add foreign key (echeancier_id, rang) references echeance (echeancier_id, rang);

-- +goose StatementBegin
create function echeancier_exact() returns trigger language plpgsql as $$
begin
  if (select sum(montant_centimes) from echeance where echeancier_id = new.id) is distinct from new.montant_centimes
     or new.nature = 'ECHEANCIER'
        and (select sum(montant_centimes) from echeancier_facture where echeancier_id = new.id) is distinct from new.montant_centimes then
    raise exception 'echeancier %: its parts are another sum', new.id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger echeancier_exact after insert on echeancier
  deferrable initially deferred for each row execute function echeancier_exact();

-- What a plan has been paid: of a debt, what its bills lost since; of a year ahead, the payments made for it.
create view echeancier_paye (echeancier_id, paye_centimes) as
  select e.id, case nature
    when 'ECHEANCIER' then (select coalesce(sum(greatest(ef.montant_centimes - (f.ttc_centimes - f.paye_centimes), 0)), 0)::bigint
      from echeancier_facture ef join facture f on f.id = ef.facture_id where ef.echeancier_id = e.id)
    else (select coalesce(sum(p.montant_centimes), 0)::bigint from paiement p
      where p.echeancier_id = e.id and not exists (select from rejet where paiement_id = p.id)) end
  from echeancier e;

-- The state of a plan on a day: nothing to keep up to date, so a returned payment shows at once.
-- +goose StatementBegin
create function echeancier_etat(plan uuid, le date) returns text language sql stable as $$
  select case
    when e.fin_le is not null and e.regularise_par is null then 'ANNULE'
    when e.regularise_par is not null or p.paye_centimes >= e.montant_centimes and e.nature = 'ECHEANCIER' then 'SOLDE'
    when p.paye_centimes < (select coalesce(sum(montant_centimes), 0) from echeance where echeancier_id = plan and date + e.grace < le) then 'ROMPU'
    else 'EN_COURS' end
  from echeancier e join echeancier_paye p on p.echeancier_id = e.id where e.id = plan
$$;
-- Whether a bill is in a plan that is respected: who chases debts leaves it alone.
create function en_echeancier(facture uuid, le date) returns boolean language sql stable as $$
  select exists (select from echeancier_facture where facture_id = facture and echeancier_etat(echeancier_id, le) = 'EN_COURS')
      or exists (select from echeancier e join facture f on f.abonne_id = e.abonne_id
        where f.id = en_echeancier.facture and e.nature = 'MENSUALISATION' and f.date_facturation >= e.cree_le and echeancier_etat(e.id, le) = 'EN_COURS')
$$;
-- +goose StatementEnd

revoke update, delete on regle_encaissement, caisse, encaissement, bordereau, bordereau_paiement, bordereau_credite, echeance, echeancier_facture from facture;
revoke delete on session_caisse, remboursement, echeancier, regle_lettrage from facture;

-- +goose Down
drop function en_echeancier, echeancier_etat;
drop view echeancier_paye;
alter table prelevement_a_faire drop constraint prelevement_a_faire_echeancier_id_rang_fkey;
create or replace view compte_abonne (abonne_id, date, nature, objet_id, piece, montant_centimes) as
  select abonne_id, date_facturation, nature, id, numero, ttc_centimes from facture where numero is not null
  union all
  select abonne_id, recu_le, 'PAIEMENT', id, reference, -montant_centimes from paiement
  union all
  select p.abonne_id, r.le, 'REJET', p.id, p.reference, p.montant_centimes from rejet r join paiement p on p.id = r.paiement_id;
drop view credit, attente;
drop index facture_credit;
alter table lettrage drop column remboursement_id, alter facture_id set not null;
alter table rejet drop column en_attente;
alter table paiement drop column session_id, drop column encaissement_id, drop column echeancier_id;
drop index if exists paiement_piece;
drop table echeancier_facture, echeance, echeancier, remboursement, bordereau_credite, bordereau_paiement, bordereau, regle_lettrage, encaissement, session_caisse, caisse, regle_encaissement;
drop function session_close, echeancier_exact;
