-- Stores lots, and what became of their credits.
insert into read.deferred_lots_vN (
    shard, account_id, grant_id, source, sold_at, currency, cost, amount, spent, expired, taken, refunded,
    used_and_refunded
)
select $1, new.*
from unnest(
    $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]
) as new (
    account_id, grant_id, source, sold_at, currency, cost, amount, spent, expired, taken, refunded, used_and_refunded
)
on conflict (shard, account_id, grant_id) do update set
    spent = excluded.spent,
    expired = excluded.expired,
    taken = excluded.taken,
    refunded = excluded.refunded,
    used_and_refunded = excluded.used_and_refunded
