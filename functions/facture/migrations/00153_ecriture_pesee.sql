-- An entry is weighed once, not once for each of its movements: that was a twentieth of a billing run.

-- +goose Up

-- When its transaction ends an entry has all its movements, since none comes later (ecriture_figee): not in another
-- transaction, nor in this one behind a constraint that somebody had checked before its end.
-- +goose StatementBegin
create function ecriture_pesee() returns trigger language plpgsql as $$
begin
  if (select sum(debit_centimes - credit_centimes) from mouvement where ecriture_id = new.id) <> 0 then
    raise exception 'ecriture % does not balance', new.id using errcode = 'integrity_constraint_violation';
  end if;
  perform set_config('facture.ecritures_pesees', pg_current_xact_id()::text, true);
  return null;
end $$;
create or replace function mouvement_d_une_ecriture_nouvelle() returns trigger language plpgsql as $$
begin
  if current_setting('facture.ecritures_pesees', true) = pg_current_xact_id()::text
      or exists (select from ajoutes a join ecriture e on e.id = a.ecriture_id where e.xid <> pg_current_xact_id()) then
    raise exception 'an entry of the journal takes no movement later' using errcode = 'integrity_constraint_violation', constraint = 'ecriture_figee';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger ecriture_pesee after insert on ecriture
  deferrable initially deferred for each row execute function ecriture_pesee();
drop trigger ecriture_equilibree on mouvement;
drop function ecriture_equilibree;

-- +goose Down
-- +goose StatementBegin
create function ecriture_equilibree() returns trigger language plpgsql as $$
begin
  if (select coalesce(sum(debit_centimes - credit_centimes), 0) from mouvement where ecriture_id = new.ecriture_id) <> 0 then
    raise exception 'ecriture % does not balance', new.ecriture_id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create or replace function mouvement_d_une_ecriture_nouvelle() returns trigger language plpgsql as $$
begin
  if exists (select from ajoutes a join ecriture e on e.id = a.ecriture_id where e.xid <> pg_current_xact_id()) then
    raise exception 'an entry of the journal takes no movement later' using errcode = 'integrity_constraint_violation', constraint = 'ecriture_figee';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger ecriture_equilibree after insert on mouvement
  deferrable initially deferred for each row execute function ecriture_equilibree();
drop trigger ecriture_pesee on ecriture;
drop function ecriture_pesee;
