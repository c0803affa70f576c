select
    ($5::date[])[width_bucket(quarter, $4::timestamptz[])] as day,
    generation_type,
    sum(count)::bigint as count,
    sum(credits)::bigint as credits,
    sum(refunds)::bigint as refunds,
    sum(credits_refunded)::bigint as credits_refunded
from read.usage
where account_id = $1 and quarter >= $2 and quarter < $3
group by 1, 2
order by 1, 2
