-- How events travel: what goes out, what came in, what could not be delivered.

-- +goose Up

-- Events written in the transaction of the change they tell of; the relay publishes them.
create table outbox (
  id           uuid primary key, -- of version 7: ordered by time
  routing_key  text not null check (routing_key <> ''),
  event        json not null, -- the structured CloudEvent, as it goes on the wire
  created_at   timestamptz not null default clock_timestamp(),
  published_at timestamptz, -- confirmed by the broker
  attempts     integer not null default 0, -- that no queue accepted
  retry_at     timestamptz -- not before
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

create index outbox_pending on outbox (id) where published_at is null;
create index outbox_created on outbox using brin (created_at) with (autosummarize = on);

-- +goose StatementBegin
create function outbox_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('outbox', '');
  return null;
end $$;
-- +goose StatementEnd

create trigger outbox_notify after insert on outbox for each statement execute function outbox_notify();

-- Messages whose effect is committed. A consumer cannot write another's rows: it may not set the column.
create table inbox (
  consumer    text not null default current_user,
  source      text not null,
  id          text not null,
  received_at timestamptz not null default now(),
  primary key (consumer, source, id)
);

create index inbox_received on inbox using brin (received_at) with (autosummarize = on);

-- Messages their consumer did not take. A row is one message of one queue, however often it dies.
create table parking_lot (
  id           bigint generated always as identity primary key,
  queue        text not null, -- where it died and is replayed
  source       text not null, -- '' when it is no CloudEvent
  event_id     text not null, -- the content's SHA-256 when it is no CloudEvent
  type         text not null,
  reason       text not null, -- the broker's: rejected, delivery_limit, expired, maxlen
  deaths       jsonb not null, -- the broker's x-death
  content      bytea not null,
  content_type text not null,
  state        text not null default 'ATTENTE' check (state in ('ATTENTE', 'REJOUE', 'ABANDONNE')),
  died         integer not null default 1, -- times it came here
  attempts     integer not null default 0, -- automatic replays since it was last given up or taken up by a person
  next_try     timestamptz, -- of an automatic replay; null when it waits for a person
  note         text not null default '', -- why a person dropped it
  parked_at    timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp(),
  unique (queue, source, event_id),
  check (next_try is null or state = 'ATTENTE'),
  check (state <> 'ABANDONNE' or note <> '')
);

create index parking_lot_due on parking_lot (next_try) where next_try is not null;

-- Deletes at most `most` published events older than `keep`, and returns how many.
-- +goose StatementBegin
create function purge_outbox(keep interval, most integer) returns bigint
language sql security definer set search_path from current as $$
  with gone as (
    delete from outbox where id in (
      select id from outbox where published_at is not null and created_at < now() - keep limit most)
    returning 1)
  select count(*) from gone
$$;
-- +goose StatementEnd

-- Deletes at most `most` inbox rows older than `keep`, and returns how many. A message that
-- may still be replayed keeps its row, without which it would take effect twice.
-- +goose StatementBegin
create function purge_inbox(keep interval, most integer) returns bigint
language sql security definer set search_path from current as $$
  with gone as (
    delete from inbox where (consumer, source, id) in (
      select consumer, source, id from inbox i
      where received_at < now() - keep
        and not exists (select 1 from parking_lot p
                        where p.source = i.source and p.event_id = i.id and p.state = 'ATTENTE')
      limit most)
    returning 1)
  select count(*) from gone
$$;
-- +goose StatementEnd

revoke all on all functions in schema eventing from public;

grant insert (id, routing_key, event) on outbox to functions;
grant insert (source, id) on inbox to functions;

grant select, update (published_at, attempts, retry_at) on outbox to relay;
grant execute on function purge_outbox(interval, integer), purge_inbox(interval, integer) to relay;

grant select, insert, update, delete on parking_lot to deadletter;
