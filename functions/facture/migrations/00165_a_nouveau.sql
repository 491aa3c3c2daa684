-- What the years before leave to a year is summed once, when the first of its months closes, and not again for each part of a FEC.

-- +goose Up
create table a_nouveau (
  entite         text not null references entite,
  exercice       int not null,
  rang           int not null check (rang > 0),      -- of the line in the entry
  compte         text not null,                      -- of the balance sheet; 120 or 129 for the result
  abonne_id      uuid,                               -- of account 411
  solde_centimes bigint not null check (solde_centimes <> 0),
  primary key (entite, exercice, rang)
);
revoke insert, update, delete on a_nouveau from facture;

-- +goose StatementBegin
create function reporter(quelle text, premier int, dernier int) returns void language sql as $$
  insert into a_nouveau (entite, exercice, rang, compte, abonne_id, solde_centimes)
  with anterieur as (
    select exercice, m.compte, case when m.compte = '411' then coalesce(e.abonne_id, f.abonne_id, p.abonne_id) end abonne_id, sum(m.debit_centimes - m.credit_centimes)::bigint solde
    from generate_series(premier, dernier) exercice join ecriture e on e.entite = quelle and e.date < make_date(exercice, 1, 1)
    join mouvement m on m.ecriture_id = e.id left join facture f on f.id = e.id left join paiement p on p.id = e.id group by 1, 2, 3
  ), reprise as (
    select exercice, compte, abonne_id, solde from anterieur where compte < '6' and solde <> 0
    union all
    select exercice, case when sum(solde) > 0 then '129' else '120' end, null, sum(solde)::bigint from anterieur where compte >= '6' group by 1 having sum(solde) <> 0
  )
  select quelle, exercice, row_number() over (partition by exercice order by solde < 0, compte, abonne_id), compte, abonne_id, solde from reprise
$$;
-- By then all that is older is closed: it changes no more.
create function cloture_reporte() returns trigger language plpgsql security definer set search_path from current as $$
begin
  perform reporter(new.entite, 1 + coalesce((select extract(year from max(jusqua)) from cloture where entite = new.entite and jusqua < new.jusqua),
    (select extract(year from min(date)) from ecriture where entite = new.entite))::int, extract(year from new.jusqua)::int);
  return null;
end $$;
-- +goose StatementEnd
create trigger cloture_reporte after insert on cloture for each row execute function cloture_reporte();

select reporter(entite, 1 + (select extract(year from min(date))::int from ecriture e where e.entite = c.entite), extract(year from max(jusqua))::int)
from cloture c group by entite;

-- +goose Down
drop trigger cloture_reporte on cloture;
drop function cloture_reporte, reporter;
drop table a_nouveau;
