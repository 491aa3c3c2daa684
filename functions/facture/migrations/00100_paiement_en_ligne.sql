-- Attempts to pay end: by the payer who gives up, or by the delay of the provider's page. What a provider tells names the
-- transaction, and each is counted once, however often and under however many names it is told.

-- +goose Up
alter table paiement_en_ligne drop constraint paiement_en_ligne_etat_check;
alter table paiement_en_ligne add constraint paiement_en_ligne_etat_check check (etat in ('INITIE', 'ACCEPTE', 'REFUSE', 'ABANDONNE'));
alter table paiement_en_ligne add column expire_a timestamptz;   -- until then the provider's page may be opened
update paiement_en_ligne set expire_a = cree_a + interval '30 minutes';
create index paiement_en_ligne_ouverte on paiement_en_ligne (facture_id) where etat = 'INITIE';

alter table notification_paiement add column transaction text;                         -- the payer's try, by the provider's own name
alter table notification_paiement add column paiement_id uuid references paiement;     -- what it was recorded as
create index notification_paiement_tentative on notification_paiement (tentative);
create unique index notification_paiement_transaction on notification_paiement (transaction) where paiement_id is not null;

insert into regle_encaissement values
  ('DELAI_PAIEMENT_EN_LIGNE', '[2014-01-01,)', 30, 'minutes', 'choix du service ; les pages des prestataires durent de 10 minutes (Lyra) à 24 heures (Stripe)', false);

-- +goose Down
delete from regle_encaissement where code = 'DELAI_PAIEMENT_EN_LIGNE';
drop index notification_paiement_transaction, notification_paiement_tentative;
alter table notification_paiement drop column transaction, drop column paiement_id;
drop index paiement_en_ligne_ouverte;
alter table paiement_en_ligne drop column expire_a;
alter table paiement_en_ligne drop constraint paiement_en_ligne_etat_check;
alter table paiement_en_ligne add constraint paiement_en_ligne_etat_check check (etat in ('INITIE', 'ACCEPTE', 'REFUSE'));
