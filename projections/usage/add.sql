-- Adds to what was used on a shard in quarters of an hour.
insert into read.usage_vN as known (
    shard, account_id, quarter, generation_type, count, credits, refunds, credits_refunded
)
select $1, account_id, quarter, generation_type, count, credits, refunds, credits_refunded
from unnest($2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    as used (account_id, quarter, generation_type, count, credits, refunds, credits_refunded)
on conflict (shard, account_id, quarter, generation_type) do update set
    count = least(known.count::numeric + excluded.count, 9223372036854775807)::bigint,
    credits = least(known.credits::numeric + excluded.credits, 9223372036854775807)::bigint,
    refunds = least(known.refunds::numeric + excluded.refunds, 9223372036854775807)::bigint,
    credits_refunded = least(known.credits_refunded::numeric + excluded.credits_refunded, 9223372036854775807)::bigint
