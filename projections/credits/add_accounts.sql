-- Adds to how credits of accounts came and went in quarters of an hour.
insert into read.credits_accounts_vN as known (
    shard, account_id, quarter, kind, generation_type, count, available, held, debt
)
select $1, account_id, quarter, kind, generation_type, count, available::numeric, held::numeric, debt::numeric
from unnest(
    $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[]
) as new (account_id, quarter, kind, generation_type, count, available, held, debt)
on conflict (shard, account_id, quarter, kind, generation_type) do update set
    count = known.count + excluded.count,
    available = known.available + excluded.available,
    held = known.held + excluded.held,
    debt = known.debt + excluded.debt
