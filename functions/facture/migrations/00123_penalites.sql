-- What a late payment costs: a fixed fee (frais_recouvrement, RETARD) and interest by day.

-- +goose Up
insert into frais_recouvrement (code, periode, habitation, montant_centimes, source) values
  ('RETARD', '[2013-01-01,)', false, 4000, 'code de commerce L441-10, II et D441-5 : indemnité forfaitaire pour frais de recouvrement, entre professionnels');
grant update (periode) on frais_recouvrement to facture; -- of a rule that another follows

-- Yearly rate of late payment, on the day that it counts. Households pay none unless the service's regulation says so, by a row of its own.
create table taux_retard (
  periode    daterange not null check (not isempty(periode)),
  habitation boolean not null,
  taux_pdm   bigint not null check (taux_pdm > 0 and taux_pdm <= 3000), -- of ten thousand a year
  source     text not null,
  constraint taux_retard_chevauchants exclude using gist (habitation with =, periode with &&)
);
insert into taux_retard values
  ('[2024-01-01,2024-07-01)', false, 1450, 'code de commerce L441-10, II : taux de refinancement de la BCE au 1er janvier 2024 (4,50 %) + 10 points, à vérifier par le service'),
  ('[2024-07-01,2025-01-01)', false, 1425, 'code de commerce L441-10, II : taux de refinancement de la BCE au 1er juillet 2024 (4,25 %) + 10 points, à vérifier par le service'),
  ('[2025-01-01,2025-07-01)', false, 1315, 'code de commerce L441-10, II : taux de refinancement de la BCE au 1er janvier 2025 (3,15 %) + 10 points, à vérifier par le service'),
  ('[2025-07-01,2026-01-01)', false, 1215, 'code de commerce L441-10, II : taux de refinancement de la BCE au 1er juillet 2025 (2,15 %) + 10 points, à vérifier par le service');
revoke update, delete on taux_retard from facture;
grant update (periode) on taux_retard to facture;

-- What was asked for the lateness of a bill, by a document of its own. Days are charged once, the fee once.
create table penalite (
  piece_id          uuid primary key references facture,
  facture_id        uuid not null references facture,
  du                date not null,
  jusqua            date not null check (jusqua >= du),
  forfait_centimes  bigint not null check (forfait_centimes >= 0),
  interets_centimes bigint not null check (interets_centimes >= 0),
  constraint penalites_chevauchantes exclude using gist (facture_id with =, daterange(du, jusqua, '[]') with &&)
);
create unique index penalite_forfait on penalite (facture_id) where forfait_centimes > 0;
revoke update, delete on penalite from facture;

-- +goose Down
drop table penalite, taux_retard;
delete from frais_recouvrement where code = 'RETARD' and source like 'code de commerce%';
revoke update (periode) on frais_recouvrement from facture;
