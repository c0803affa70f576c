-- Adds to what changed the credits that there are on a shard in months, in UTC.
insert into read.credits_months_vN as known (shard, month, available, held, debt)
select $1, month, available::numeric, held::numeric, debt::numeric
from unnest($2::date[], $3::text[], $4::text[], $5::text[]) as new (month, available, held, debt)
on conflict (shard, month) do update set
    available = known.available + excluded.available,
    held = known.held + excluded.held,
    debt = known.debt + excluded.debt
