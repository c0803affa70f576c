-- Adds to what was used in quarters of an hour.
insert into read.usage_vN as known (
    account_id, quarter, generation_type, count, credits, refunds, credits_refunded
)
select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
on conflict (account_id, quarter, generation_type) do update set
    count = least(known.count::numeric + excluded.count, 9223372036854775807)::bigint,
    credits = least(known.credits::numeric + excluded.credits, 9223372036854775807)::bigint,
    refunds = least(known.refunds::numeric + excluded.refunds, 9223372036854775807)::bigint,
    credits_refunded = least(known.credits_refunded::numeric + excluded.credits_refunded, 9223372036854775807)::bigint
