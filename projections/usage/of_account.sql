-- How much did an account use, by day and type of generation?
select
    ($6::date[])[width_bucket(quarter, $5::timestamptz[])] as day,
    generation_type,
    least(sum(count), 9223372036854775807)::bigint as count,
    least(sum(credits), 9223372036854775807)::bigint as credits,
    least(sum(refunds), 9223372036854775807)::bigint as refunds,
    least(sum(credits_refunded), 9223372036854775807)::bigint as credits_refunded
from read.usage
where shard = $1 and account_id = $2 and quarter >= $3 and quarter < $4
group by 1, 2
order by 1, 2
