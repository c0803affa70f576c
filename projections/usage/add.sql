insert into read.usage_vN as known (
    account_id, quarter, generation_type, count, credits, refunds, credits_refunded
)
select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
on conflict (account_id, quarter, generation_type) do update set
    count = known.count + excluded.count,
    credits = known.credits + excluded.credits,
    refunds = known.refunds + excluded.refunds,
    credits_refunded = known.credits_refunded + excluded.credits_refunded
