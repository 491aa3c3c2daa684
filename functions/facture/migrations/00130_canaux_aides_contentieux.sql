-- How letters of arrears go, help that ends, and on what evidence it was recorded.

-- +goose Up

-- ECRIT: by mail or post. ECRIT_SMS: also by text message to whoever agreed; SMS: to them by nothing else, where the law does
-- not want it in writing (décret n° 2008-780, art. 1: both letters).
alter table niveau_relance
  add canal       text not null default 'ECRIT' check (canal in ('ECRIT', 'ECRIT_SMS', 'SMS')),
  add ecrit_exige boolean not null default true,
  add constraint ecrit_exige_par_la_loi check (not ecrit_exige or canal <> 'SMS');
grant update (periode, canal) on niveau_relance to facture;

-- What proves that a household is helped; its document stays with it. A help that ends earlier keeps its first days.
alter table aide
  add justificatif  text not null default '',
  add document_nom  text not null default '',
  add document_mime text not null default '',
  add document      bytea,
  add sha256        bytea check (length(sha256) = 32),
  add close_par     text,
  add close_a       timestamptz,
  add constraint aide_document_check check ((document is null) = (sha256 is null));
grant update (au, close_par, close_a) on aide to facture;

-- A household that was granted the social tariff on its bills is helped, without being recorded twice.
-- +goose StatementBegin
create or replace function aidee(abonne uuid, jour date) returns boolean stable language sql as $$
  select exists (select from aide where abonne_id = abonne and du <= jour and
      case nature when 'TARIF_SOCIAL' then coalesce(au >= jour, true) else du + make_interval(months => parametre_du('aide_recente', jour)) >= jour end)
    or exists (select from profil_accorde p join contrat c on c.id = p.contrat_id where c.abonne_id = abonne and p.profil = 'SOCIAL' and p.periode @> jour)
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function aidee(abonne uuid, jour date) returns boolean stable language sql as $$
  select exists (select from aide where abonne_id = abonne and du <= jour and
    case nature when 'TARIF_SOCIAL' then coalesce(au >= jour, true) else du + make_interval(months => parametre_du('aide_recente', jour)) >= jour end)
$$;
-- +goose StatementEnd
revoke update (au, close_par, close_a) on aide from facture;
alter table aide drop justificatif, drop document_nom, drop document_mime, drop document, drop sha256, drop close_par, drop close_a;
revoke update (periode, canal) on niveau_relance from facture;
alter table niveau_relance drop canal, drop ecrit_exige;
