-- +goose Up

-- A month is not closed under a run that is being issued: its bills would find no open month.
-- +goose StatementBegin
create function cloture_sans_emission() returns trigger language plpgsql as $$
begin
  if exists (select from lot where etat = 'EMISSION' and date_facturation <= new.jusqua) then
    raise exception 'a lot of this period is being issued' using errcode = 'integrity_constraint_violation', constraint = 'lot_en_emission';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger cloture_sans_emission after insert on cloture for each row execute function cloture_sans_emission();

-- +goose Down
drop trigger cloture_sans_emission on cloture;
drop function cloture_sans_emission;
