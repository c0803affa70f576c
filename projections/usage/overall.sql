-- How much was used by all accounts, by day and type of generation?
select
    ($4::date[])[width_bucket(quarter, $3::timestamptz[])] as day,
    generation_type,
    count(distinct account_id) as accounts,
    least(sum(count), 9223372036854775807)::bigint as count,
    least(sum(credits), 9223372036854775807)::bigint as credits,
    least(sum(refunds), 9223372036854775807)::bigint as refunds,
    least(sum(credits_refunded), 9223372036854775807)::bigint as credits_refunded
from read.usage
where quarter >= $1 and quarter < $2
group by 1, 2
order by 1, 2
