-- What did all movements before a day ($2) sum to, by currency and kind? Months before its own ($1), and days.
select currency, kind, sum(change)::bigint as change, sum(count)::bigint as accounts
from (
    select currency, kind, change, count
    from read.mrr_months
    where month < $1 and ($3::text is null or currency = $3)
    union all
    select currency, kind, change, count
    from read.mrr_days
    where day >= $1 and day < $2 and ($3::text is null or currency = $3)
) parts
group by currency, kind
order by currency, kind
