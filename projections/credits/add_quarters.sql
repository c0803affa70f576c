-- Adds to how credits came and went on a shard in quarters of an hour.
insert into read.credits_quarters_vN as known (
    shard, quarter, kind, generation_type, count, available, held, debt
)
select $1, quarter, kind, generation_type, count, available::numeric, held::numeric, debt::numeric
from unnest($2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
    as new (quarter, kind, generation_type, count, available, held, debt)
on conflict (shard, quarter, kind, generation_type) do update set
    count = known.count + excluded.count,
    available = known.available + excluded.available,
    held = known.held + excluded.held,
    debt = known.debt + excluded.debt
