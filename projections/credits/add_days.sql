-- Adds to how credits came and went on a shard on days, in UTC.
insert into read.credits_days_vN as known (
    shard, day, kind, generation_type, count, available, held, debt, restated_at
)
select $1, day, kind, generation_type, count, available::numeric, held::numeric, debt::numeric, restated_at
from unnest(
    $2::date[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::timestamptz[]
) as new (day, kind, generation_type, count, available, held, debt, restated_at)
on conflict (shard, day, kind, generation_type) do update set
    count = known.count + excluded.count,
    available = known.available + excluded.available,
    held = known.held + excluded.held,
    debt = known.debt + excluded.debt,
    restated_at = greatest(known.restated_at, excluded.restated_at)
