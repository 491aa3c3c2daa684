-- A household has one social tariff on a day, whoever records it at the same time.

-- +goose Up

-- Those that overlap are laid end to end: each begins on its day or after the one before it, and all days that were granted stay granted.
update aide set du = s.du, au = s.au from (
  select id, du, nullif(greatest(du, least(fin, lead(du) over (partition by abonne_id order by n) - 1)), 'infinity') au from (
    select id, abonne_id, n, n + max(du - n) over w du, max(coalesce(au, 'infinity')) over w fin from (
      select *, row_number() over (partition by abonne_id order by du, au, id)::int n from aide where nature = 'TARIF_SOCIAL') a
    window w as (partition by abonne_id order by n)) b) s
where aide.id = s.id and (aide.du, aide.au) is distinct from (s.du, s.au);
alter table aide add constraint aide_en_cours exclude using gist (abonne_id with =, daterange(du, au, '[]') with &&) where (nature = 'TARIF_SOCIAL');

-- +goose Down
alter table aide drop constraint aide_en_cours;
