select
    ($4::date[])[width_bucket(quarter, $3::timestamptz[])] as day,
    generation_type,
    count(distinct account_id) as accounts,
    sum(count)::bigint as count,
    sum(credits)::bigint as credits,
    sum(refunds)::bigint as refunds,
    sum(credits_refunded)::bigint as credits_refunded
from read.usage
where quarter >= $1 and quarter < $2
group by 1, 2
order by 1, 2
