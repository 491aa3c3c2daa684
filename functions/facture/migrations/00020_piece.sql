-- Documents that persons ask for: avoirs, bills of works and services, bills corrected.

-- +goose Up

-- What a service may charge besides water, at a price over dates.
create table prestation (
  id            uuid primary key,
  code          text not null,
  libelle       text not null,
  periode       daterange not null check (not isempty(periode)),
  prix_centimes bigint not null check (prix_centimes > 0), -- HT, one of it
  tva_pm        bigint not null,
  compte        text not null references compte,
  source        text not null,                             -- the decision that set the price
  constraint prestations_chevauchantes exclude using gist (code with =, periode with &&)
);

-- The rates of VAT that a line may bear.
create table taux_tva (
  taux_pm bigint not null check (taux_pm between 0 and 1000),
  periode daterange not null check (not isempty(periode)),
  libelle text not null,
  source  text not null,
  primary key (taux_pm, periode)
);
insert into taux_tva (taux_pm, periode, libelle, source) values
  (0, '[1970-01-01,)', 'Hors TVA', 'CGI art. 256 B et 260 A'),
  (55, '[2012-01-01,)', 'Taux réduit', 'CGI art. 278-0 bis'),
  (100, '[2014-01-01,)', 'Taux intermédiaire', 'CGI art. 279'),
  (200, '[2014-01-01,)', 'Taux normal', 'CGI art. 278');

-- Of the plan of accounts M49.
insert into compte (numero, libelle) values
  ('704', 'Travaux'),
  ('7068', 'Autres prestations de services')
  on conflict do nothing;

-- An index that was wrong on a bill: the right one, from the day it was corrected. The reading itself is operation's.
create table correction_releve (
  releve_id  uuid primary key references releve,
  index      bigint not null check (index >= 0),
  facture_id uuid not null references facture, -- the bill that it corrects
  par        text not null,
  corrige_a  timestamptz not null
);

revoke update, delete on prestation, taux_tva from facture;
grant update (periode) on prestation to facture;

-- +goose Down
drop table correction_releve, taux_tva, prestation;
delete from compte where numero in ('704', '7068');
