-- What the payment provider told and signed, and that was refused: for a person to look at.

-- +goose Up
create table notification_refusee (
  empreinte bytea primary key,            -- SHA-256 of the bytes: told again, it is the same
  corps     bytea not null,
  code      text not null,
  detail    text not null,
  detail_en text not null,
  recu_a    timestamptz not null          -- the first time
);
create index notification_refusee_recente on notification_refusee (recu_a desc);
revoke update, delete on notification_refusee from facture;

-- +goose Down
drop table notification_refusee;
