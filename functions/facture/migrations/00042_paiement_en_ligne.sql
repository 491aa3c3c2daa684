-- Payments through a provider: attempts, and what the provider told of them.

-- +goose Up
create table paiement_en_ligne (
  id               uuid primary key,
  facture_id       uuid not null references facture,
  abonne_id        uuid not null,
  montant_centimes bigint not null check (montant_centimes > 0),
  etat             text not null check (etat in ('INITIE', 'ACCEPTE', 'REFUSE')),
  paiement_id      uuid unique references paiement,
  cree_a           timestamptz not null,
  check ((etat = 'ACCEPTE') = (paiement_id is not null))
);
create index paiement_en_ligne_facture on paiement_en_ligne (facture_id);
create table notification_paiement (
  id     text primary key,        -- the provider's own: each counts once
  tentative uuid not null references paiement_en_ligne,
  etat   text not null,
  recu_a timestamptz not null
);
revoke update, delete on notification_paiement from facture;
revoke delete on paiement_en_ligne from facture;

-- +goose Down
drop table notification_paiement, paiement_en_ligne;
