select
    date_trunc($3, day::timestamp)::date as day,
    generation_type,
    count(distinct account_id) as accounts,
    sum(count)::bigint as count,
    sum(credits)::bigint as credits,
    sum(refunds)::bigint as refunds,
    sum(credits_refunded)::bigint as credits_refunded
from read.usage
where day >= $1 and day < $2
group by 1, 2
order by 1, 2
