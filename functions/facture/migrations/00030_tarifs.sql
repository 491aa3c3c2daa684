-- Tariffs by commune and profile: what the law asks of them, and what bills that rest on one forbid.

-- +goose Up

-- Legal figures that a tariff keeps, over the dates of its versions: data with a source, never constants.
create table regle_tarif (
  code    text not null check (code in ('PART_FIXE', 'PART_FIXE_RURALE', 'TVA_EAU', 'TVA_ASSAINISSEMENT', 'DEGRESSIF')),
  valeur  bigint not null check (valeur >= 0), -- per mille
  periode daterange not null check (not isempty(periode)),
  source  text not null,
  exclude using gist (code with =, valeur with =, periode with &&)
);
insert into regle_tarif (code, valeur, periode, source) values
  ('PART_FIXE',          400, '[2007-09-22,2010-01-15)', 'Arrêté du 6 août 2007, art. 2 (JO du 21 septembre 2007), premier niveau ; fin : date de la dernière mise à jour du texte sur Légifrance, à vérifier'),
  ('PART_FIXE_RURALE',   500, '[2007-09-22,2010-01-15)', 'Arrêté du 6 août 2007, communes rurales (CGCT D3334-8-1), premier niveau ; fin : date de la dernière mise à jour du texte sur Légifrance, à vérifier'),
  ('PART_FIXE',          300, '[2010-01-15,)', 'Arrêté du 6 août 2007, second niveau (30 % du coût de 120 m³, CGCT L2224-12-4)'),
  ('PART_FIXE_RURALE',   400, '[2010-01-15,)', 'Arrêté du 6 août 2007, second niveau, communes rurales (40 % du coût de 120 m³, CGCT L2224-12-4)'),
  ('TVA_EAU',             55, '(,)', 'CGI 278-0 bis A 1°'),
  ('TVA_EAU',              0, '(,)', 'CGI 256 B : service de moins de 3 000 habitants, sans option'),
  ('TVA_ASSAINISSEMENT', 100, '(,)', 'CGI 279 b'),
  ('TVA_ASSAINISSEMENT',   0, '(,)', 'CGI 260 A : assainissement d''une collectivité, sans option'),
  ('DEGRESSIF',          700, '[2010-01-01,)', 'CGCT L2224-12-4 III : plus de 70 % du prélèvement hors zone de répartition des eaux');

-- Set when slabs get cheaper: how the service meets the condition of the law.
alter table grille add degressivite text not null default '';

-- A contract billed by another profile than its own over some days, on evidence: the social tariff.
create table profil_accorde (
  id           uuid primary key,
  contrat_id   uuid not null references contrat,
  profil       text not null check (profil <> ''),
  periode      daterange not null check (not isempty(periode) and not lower_inf(periode) and not upper_inf(periode)),
  justificatif text not null check (justificatif <> ''),
  accorde_a    timestamptz not null,
  accorde_par  text not null,
  constraint profils_chevauchants exclude using gist (contrat_id with =, periode with &&)
);

-- Bills come in order of time, so a few ranges of pages tell where those of some dates are.
create index facture_consommation on facture using brin (au);

-- +goose StatementBegin
create function facturee_jusqu_au(code text, periode daterange) returns date language sql stable as $$
  -- The last day billed on a tariff; null when no bill rests on it.
  select max(au) from facture f
  where f.au > lower(periode) and f.du < upper(periode)
    and f.cas @> jsonb_build_object('grilles', jsonb_build_array(jsonb_build_object('code', code)))
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function grille_figee() returns trigger language plpgsql as $$
declare
  jusque date := facturee_jusqu_au(old.code, old.periode);
begin
  if jusque is not null and (tg_op = 'DELETE' or lower(new.periode) <> lower(old.periode) or upper(new.periode) < jusque
      or to_jsonb(new) - 'periode' <> to_jsonb(old) - 'periode') then
    raise exception 'bills rest on grille %: it cannot change', old.code using errcode = 'integrity_constraint_violation';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
-- +goose StatementEnd
create trigger grille_figee before update or delete on grille for each row execute function grille_figee();

revoke insert, update, delete on regle_tarif from facture;

-- +goose Down
drop trigger grille_figee on grille;
drop function grille_figee, facturee_jusqu_au;
drop index facture_consommation;
drop table profil_accorde;
alter table grille drop column degressivite;
drop table regle_tarif;
