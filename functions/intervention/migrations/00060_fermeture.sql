-- Water is never cut where somebody may live (CASF L115-3): the database says so too, at every step of an order.

-- +goose Up

-- Where a PDL is, so that an order to close cannot name one and send to another; and since when its contract runs.
alter table pdl
  add reference text not null default '',
  add adresse   jsonb,
  add depuis    date;

-- +goose StatementBegin
create function fermeture_permise() returns trigger language plpgsql as $$
begin
  if new.nature = 'FERMETURE' and new.etat not in ('IMPOSSIBLE', 'ANNULEE')
      and not exists (select from pdl where id = new.pdl_id and residence_principale = 'NON' and reference = new.pdl) then
    raise exception 'the water of a main residence is not cut' using errcode = 'integrity_constraint_violation', constraint = 'residence_principale';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger fermeture_permise before insert or update on intervention for each row execute function fermeture_permise();

-- +goose Down
drop trigger fermeture_permise on intervention;
drop function fermeture_permise;
alter table pdl drop column depuis, drop column adresse, drop column reference;
