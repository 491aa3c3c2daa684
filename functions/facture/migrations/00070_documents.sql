-- What documents say and show besides amounts.

-- +goose Up

-- Words that the law or the service wants on a bill, by the day of the bill: data, so that a new text or another
-- service's own is a row. Place: verso is printed on the back, recto in its box on the front when the bill calls for it,
-- xml stands in the electronic invoice alone.
create table mention (
  code    text not null,
  periode daterange not null check (not isempty(periode)),
  ordre   int not null,
  place   text not null check (place in ('recto', 'verso', 'xml')),
  titre   text not null,
  texte   text not null check (texte <> ''),
  source  text not null check (source <> ''),
  primary key (code, periode),
  exclude using gist (code with =, periode with &&)
);

insert into mention (code, periode, ordre, place, titre, texte, source) values
  ('tarifs', '[2025-01-01,)', 10, 'verso', 'Quel tarif ?',
   'Les tarifs du service suivent les jours de votre consommation : quand ils changent en cours de période, le volume est partagé au prorata des jours. Les redevances suivent la date de la facture.',
   'arrêté du 10 juillet 1996, article 4 ; code de l''environnement L213-10-4 et suivants'),
  ('paiement', '[2000-01-01,)', 20, 'verso', 'Des difficultés à payer ?',
   'Parlez-nous-en avant l''échéance : un échelonnement est possible, et le fonds de solidarité pour le logement (FSL) de votre département ou le CCAS de votre commune peuvent vous aider. L''eau d''une résidence principale n''est ni coupée ni réduite.',
   'code de l''action sociale et des familles L115-3 et L261-4 ; décret 2008-780'),
  ('contestation', '[2000-01-01,)', 30, 'verso', 'Contester cette facture',
   'Écrivez-nous d''abord. Vous pouvez aussi la contester devant le juge dans les deux mois qui suivent sa réception.',
   'code général des collectivités territoriales L1617-5, 2°'),
  ('mediation', '[2015-09-01,)', 40, 'verso', 'Médiation',
   'Si notre réponse ne vous satisfait pas : Médiation de l''eau, BP 40463, 75366 Paris Cedex 08, www.mediation-eau.fr. C''est gratuit.',
   'code de la consommation L612-1 ; site de la Médiation de l''eau'),
  ('retard', '[2000-01-01,)', 50, 'verso', 'En cas de retard',
   'La redevance d''assainissement impayée trois mois après la facture, et quinze jours après une mise en demeure, est majorée de 25 %.',
   'code général des collectivités territoriales R2224-19-9'),
  ('penalites', '[2013-01-01,)', 60, 'verso', 'Professionnels : pénalités de retard',
   'Tout retard de paiement d''un professionnel rend exigibles des pénalités à trois fois le taux d''intérêt légal, sans rappel.',
   'code de commerce L441-10 II'),
  ('frais', '[2013-01-01,)', 61, 'xml', '',
   'Indemnité forfaitaire pour frais de recouvrement, due par un professionnel en retard : 40 euros.',
   'code de commerce D441-5'),
  ('escompte', '[2000-01-01,)', 62, 'xml', '', 'Pas d''escompte pour paiement anticipé.', 'code de commerce L441-9 I'),
  ('exoneration', '[2000-01-01,)', 63, 'xml', '', 'Hors du champ de la TVA, sans option.', 'code général des impôts 256 B et 260 A'),
  ('fuite', '[2012-09-27,)', 70, 'recto', '',
   'Faites vérifier votre installation. Si un plombier répare une fuite sur votre canalisation, envoyez-nous dans le mois son attestation (lieu et date de la réparation) : votre consommation est alors facturée au plus au double de votre moyenne, et l''eau perdue ne compte pas pour l''assainissement.',
   'code général des collectivités territoriales L2224-12-4 III bis et R2224-20-1'),
  ('estimation', '[2000-01-01,)', 71, 'recto', '',
   'Nous n''avons pas pu relever votre compteur. Le prochain relevé corrigera cette estimation, en plus ou en moins. Vous pouvez aussi nous envoyer votre index.',
   'règlement de service');

-- The company behind an organisation: who it is for the tax office and for the platforms of electronic invoices.
alter table contrat add siren text not null default '' check (siren ~ '^([0-9]{9})?$');
alter table facture add siren text not null default '' check (siren ~ '^([0-9]{9})?$');

revoke delete on mention from facture;

-- +goose Down
alter table facture drop column siren;
alter table contrat drop column siren;
drop table mention;
