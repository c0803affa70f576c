-- How did revenue change on some days, by currency and kind of movement?
select currency, day, kind, sum(change)::bigint as change, sum(count)::bigint as accounts
from read.mrr_days
where day >= $1 and day < $2
    and ($3::text is null or currency = $3)
group by currency, day, kind
order by currency, day, kind
