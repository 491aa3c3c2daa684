-- Messages to people.

-- +goose Up

create table envoi (
  id            uuid primary key, -- of version 7: ordered by time
  modele        text not null check (modele in ('BIENVENUE', 'INVITATION', 'FACTURE')),
  cle           text not null, -- of what it tells: a contract, a bill, an invitation
  canal         text not null check (canal in ('EMAIL', 'COURRIER')),
  destinataire  text not null check ((canal = 'EMAIL') = (destinataire <> '')),
  etat          text not null check (etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING', 'SENT', 'FAILED')),
  abonne_id     uuid,
  nom           text not null,
  objet         text not null,
  reference     uuid,
  -- What is written to the person, until the server has it or refused it for good.
  texte         text,
  html          text,
  piece_nom     text,
  piece_mime    text,
  piece         bytea,
  piece_sha256  bytea, -- kept: proof of what was sent
  essais        integer not null default 0,
  relance_a     timestamptz not null, -- when a tick takes it up again
  erreur        text not null default '',
  cree_a        timestamptz not null,
  envoye_a      timestamptz,
  -- One message a fact, channel and recipient.
  unique (modele, cle, canal, destinataire),
  check ((etat = 'SENT') = (envoye_a is not null)),
  check (etat not in ('SENT', 'FAILED') or texte is null and html is null and piece is null),
  check ((etat = 'FAILED') = (erreur <> ''))
);

create index envoi_a_relancer on envoi (relance_a) where etat in ('QUEUED', 'SENDING') and canal = 'EMAIL';
create index envoi_abonne on envoi (abonne_id, id desc);
create index envoi_reference on envoi (reference, id desc);
create index envoi_etat on envoi (etat, id desc);
