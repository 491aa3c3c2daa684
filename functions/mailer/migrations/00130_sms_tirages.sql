-- Text messages to those who agreed, and letters printed together.

-- +goose Up

-- Who wants text messages, at which number: the last word counts, all are kept as proof (RGPD art. 7).
create table consentement_sms (
  id        bigint generated always as identity primary key,
  abonne_id uuid not null,
  accepte   boolean not null,
  numero    text not null check (numero ~ '^\+[1-9][0-9]{6,14}$'), -- E.164
  langue    text not null check (langue in ('fr', 'en')),
  origine   text not null check (origine in ('GUICHET', 'APPEL', 'ECRIT', 'PORTAIL', 'REPONSE')), -- REPONSE: STOP, as the provider tells
  le        timestamptz not null,
  par       text not null
);
create index consentement_de on consentement_sms (abonne_id, id desc);
revoke update, delete on consentement_sms from mailer;

-- What the provider told, once each.
create table notification_sms (
  id     text primary key,
  recu_a timestamptz not null
);

-- Letters printed together, and the day on which somebody took them to the post.
create table tirage (
  id        uuid primary key,
  modele    text not null check (modele ~ '^[A-Z][A-Z_]*$'),
  lettres   int not null check (lettres > 0),
  cree_a    timestamptz not null,
  cree_par  text not null,
  cree_nom  text not null,
  poste_le  date,
  poste_par text,
  poste_nom text,
  check ((poste_le is null) = (poste_par is null))
);

alter table envoi
  add langue    text not null default 'fr',
  add segments  int,          -- of a text message
  add encodage  text check (encodage in ('GSM7', 'UCS2')),
  add remis_a   timestamptz,  -- when the telephone had it
  add adresse   jsonb,        -- of a letter whose text is here; a bill or an avoir knows its own
  add tirage_id uuid references tirage,
  add rang      int;          -- in it

alter table envoi drop constraint envoi_canal_check, drop constraint envoi_etat_check, drop constraint envoi_check, drop constraint envoi_check1, drop constraint envoi_check2;
alter table envoi
  add constraint envoi_canal_check check (canal in ('EMAIL', 'COURRIER', 'SMS')),
  add constraint envoi_etat_check check (etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING', 'PRINTED', 'SENT', 'DELIVERED', 'FAILED')),
  add constraint envoi_destinataire_check check ((canal = 'COURRIER') = (destinataire = '')),
  add constraint envoi_envoye_check check (etat not in ('SENT', 'DELIVERED') or envoye_a is not null),
  add constraint envoi_remis_check check ((etat = 'DELIVERED') = (remis_a is not null)),
  -- A letter stays, to be printed again.
  add constraint envoi_contenu_check check (etat not in ('SENT', 'DELIVERED', 'FAILED') or canal = 'COURRIER' or texte is null and html is null and piece is null),
  add constraint envoi_tirage_check check (tirage_id is null or canal = 'COURRIER' and etat in ('PRINTED', 'SENT') and rang is not null),
  add constraint envoi_sms_check check ((canal = 'SMS') = (segments is not null and encodage is not null));

drop index envoi_a_relancer;
create index envoi_a_relancer on envoi (relance_a) where etat in ('QUEUED', 'SENDING') and canal <> 'COURRIER';
create index envoi_a_imprimer on envoi (modele, id) where canal = 'COURRIER' and etat = 'QUEUED';
create unique index envoi_du_tirage on envoi (tirage_id, rang) where tirage_id is not null;

create or replace view indicateur (nom, etat, valeur) as
  select 'envois', e.etat, count(m.id)::double precision
    from unnest(array['ATTENTE_PIECE', 'QUEUED', 'SENDING', 'PRINTED', 'SENT', 'DELIVERED', 'FAILED']) as e (etat) left join envoi m on m.etat = e.etat group by e.etat
  union all
  -- A letter waits for whoever prints it; a mail that waits is late.
  select 'courriel_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING') and canal = 'EMAIL'
  union all
  select 'sms_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('QUEUED', 'SENDING') and canal = 'SMS'
  union all
  select 'lettres_a_imprimer', '', count(*) from envoi where etat = 'QUEUED' and canal = 'COURRIER';

-- +goose Down
delete from envoi where canal = 'SMS';
update envoi set etat = 'QUEUED', tirage_id = null, rang = null where etat = 'PRINTED';
create or replace view indicateur (nom, etat, valeur) as
  select 'envois', e.etat, count(m.id)::double precision
    from unnest(array['ATTENTE_PIECE', 'QUEUED', 'SENDING', 'SENT', 'FAILED']) as e (etat) left join envoi m on m.etat = e.etat group by e.etat
  union all
  select 'courriel_plus_ancien_secondes', '', coalesce(extract(epoch from now() - min(cree_a)), 0)
    from envoi where etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING') and canal = 'EMAIL';
drop index envoi_a_relancer, envoi_a_imprimer, envoi_du_tirage;
alter table envoi drop constraint envoi_canal_check, drop constraint envoi_etat_check, drop constraint envoi_destinataire_check, drop constraint envoi_envoye_check,
  drop constraint envoi_remis_check, drop constraint envoi_contenu_check, drop constraint envoi_tirage_check, drop constraint envoi_sms_check;
update envoi set texte = null, html = null where etat = 'SENT';
alter table envoi drop langue, drop segments, drop encodage, drop remis_a, drop adresse, drop tirage_id, drop rang;
alter table envoi
  add constraint envoi_canal_check check (canal in ('EMAIL', 'COURRIER')),
  add constraint envoi_etat_check check (etat in ('ATTENTE_PIECE', 'QUEUED', 'SENDING', 'SENT', 'FAILED')),
  add constraint envoi_check check ((canal = 'EMAIL') = (destinataire <> '')),
  add constraint envoi_check1 check ((etat = 'SENT') = (envoye_a is not null)),
  add constraint envoi_check2 check (etat not in ('SENT', 'FAILED') or texte is null and html is null and piece is null);
create index envoi_a_relancer on envoi (relance_a) where etat in ('QUEUED', 'SENDING') and canal = 'EMAIL';
drop table tirage, notification_sms, consentement_sms;
