-- What the payment provider told and that was refused, once a person has dealt with it.

-- +goose Up
create table notification_traitee (
  empreinte bytea primary key references notification_refusee,
  mot       text not null,                -- what was found, or done
  par       text not null,
  nom       text not null,
  traitee_a timestamptz not null
);
revoke update, delete on notification_traitee from facture;

-- +goose Down
drop table notification_traitee;
