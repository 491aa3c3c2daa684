-- Replies to commands, so that a command sent again gets the same answer.
create table if not exists reply (
  source     text not null,
  id         text not null,
  type       text not null,
  body_hash  bytea not null,
  reply      bytea,
  created_at timestamptz not null default now(),
  primary key (source, id)
);
