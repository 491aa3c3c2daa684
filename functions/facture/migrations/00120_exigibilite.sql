-- When VAT is due: on the bill (option for debits), or as it is paid.

-- +goose Up

insert into compte (numero, libelle, journal, source) values
  ('4458', 'Taxes sur le chiffre d''affaires à régulariser ou en attente', 'OD', 'plan comptable général, compte 4458')
on conflict do nothing;
update compte set journal = 'OD' where numero = '44571';

-- The rule of an entity from a day on. A bill follows the rule of its date for good: its VAT stands on 44571 or waits on 4458.
-- The column tva_exigibilite of entite is read no more.
create table exigibilite_tva (
  entite text not null references entite,
  depuis date not null,
  regle  text not null check (regle in ('DEBITS', 'ENCAISSEMENTS')),
  source text not null,
  primary key (entite, depuis)
);
insert into exigibilite_tva select code, '2000-01-01', tva_exigibilite, 'réglage de départ, à revoir par le service (CGI art. 269, 2 ; option pour les débits : CGI ann. III, art. 77)' from entite;

-- +goose StatementBegin
create function exigibilite_du(qui text, jour date) returns text stable language sql as $$
  select coalesce((select regle from exigibilite_tva where entite = qui and depuis <= jour order by depuis desc limit 1), 'DEBITS')
$$;
-- +goose StatementEnd

-- VAT of a bill that money made due, by rate; taken back by a row below zero. ecriture_id moves its sum from 4458 to 44571.
create table tva_exigible (
  id               bigint generated always as identity primary key,
  facture_id       uuid not null references facture,
  ecriture_id      uuid references ecriture,   -- null where the rates cancel out
  entite           text not null references entite,
  date             date not null,
  taux_pm          bigint not null,
  base_centimes    bigint not null,
  montant_centimes bigint not null
);
create index tva_exigible_facture on tva_exigible (facture_id);
create index tva_exigible_date on tva_exigible (entite, date);

-- What a write-off takes off account 4458: VAT that will never be due.
alter table non_valeur add tva_centimes bigint not null default 0;

-- The VAT of a bill and its avoirs that waits on 4458.
-- +goose StatementBegin
create function tva_en_attente(bill uuid) returns bigint stable language sql as $$
  select coalesce((select sum(m.credit_centimes - m.debit_centimes) from mouvement m join facture f on f.id = m.ecriture_id
      where m.compte = '4458' and (f.id = bill or f.corrige_id = bill and f.nature = 'AVOIR')), 0)::bigint
    - coalesce((select sum(montant_centimes) from tva_exigible where facture_id = bill), 0)::bigint
$$;
-- +goose StatementEnd

revoke update, delete on tva_exigible, exigibilite_tva from facture;
grant update (regle, source) on exigibilite_tva to facture; -- of a rule that no bill follows yet

-- +goose Down
alter table non_valeur drop column tva_centimes;
drop table tva_exigible;
drop function exigibilite_du, tva_en_attente;
drop table exigibilite_tva;
update compte set journal = 'VT' where numero = '44571';
delete from compte where numero = '4458' and not exists (select from mouvement where compte = numero);
