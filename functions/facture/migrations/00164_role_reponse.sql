-- What the comptable public answers to a bordereau. One that it refuses keeps its number, its file and its articles; its
-- documents go on to the next.

-- +goose Up
create table role_reponse (
  role_id  uuid primary key references role_pes,           -- one answer, for good
  etat     text not null check (etat in ('PRIS_EN_CHARGE', 'REFUSE')),
  le       date not null,
  motif    text not null,
  cree_a   timestamptz not null,
  cree_par text not null,
  cree_nom text not null,                                  -- as they were called then
  check ((etat = 'REFUSE') = (motif <> ''))
);
revoke update, delete on role_reponse from facture;

-- A document stands in one bordereau at most, besides those that were refused.
alter table role_article add refuse boolean not null default false;
create unique index role_article_tenu on role_article (facture_id) where not refuse;
create index role_article_facture on role_article (facture_id);
alter table role_article drop constraint role_article_facture_id_key;

-- Nothing but a refusal frees articles: the function may not.
-- +goose StatementBegin
create function role_refuse() returns trigger language plpgsql security definer set search_path from current as $$
begin
  update role_article set refuse = true where role_id = new.role_id;
  return null;
end $$;
-- +goose StatementEnd
create trigger role_refuse after insert on role_reponse
  for each row when (new.etat = 'REFUSE') execute function role_refuse();

alter table role_pes add reprend int[] not null default '{}'; -- numbers of refused bordereaux of its entity, year and nature whose documents it holds

-- +goose Down
alter table role_pes drop column reprend;
delete from role_article where refuse;
alter table role_article add constraint role_article_facture_id_key unique (facture_id);
drop index role_article_tenu, role_article_facture;
alter table role_article drop column refuse;
drop table role_reponse;
drop function role_refuse;
