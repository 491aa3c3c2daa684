-- +goose Up

-- How old the newest base backup is, by the names in the volume that the server archives to (knative/postgres); before the
-- first one, how old the database is. For monitoring, which may list no directory of the server's.
-- +goose StatementBegin
create function sauvegarde_age() returns interval
language sql stable security definer set search_path = pg_catalog as $$
  select now() - coalesce(
    (select max(name::timestamptz)
     from pg_ls_dir('/backup/base', true, false) as name where name ~ '^[0-9]{8}T[0-9]{6}Z$'),
    (select (pg_stat_file(format('base/%s/PG_VERSION', oid))).modification from pg_database where datname = current_database()))
$$;
-- +goose StatementEnd
revoke all on function sauvegarde_age() from public;
grant execute on function sauvegarde_age() to monitor;

-- +goose Down
drop function sauvegarde_age();
