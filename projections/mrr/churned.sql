-- How much revenue was lost in some intervals by accounts that stopped paying, by interval, currency and cause?
select
    span.place,
    moved.currency,
    moved.cause,
    sum(moved.after - moved.before)::bigint as amount,
    count(*) as count
from unnest($1::integer[], $2::date[], $3::date[]) as span (place, first, until)
join read.mrr_movements moved on moved.day >= span.first and moved.day < span.until
where moved.kind = 'churn' and ($4::text is null or moved.currency = $4)
group by span.place, moved.currency, moved.cause
order by span.place, moved.currency, moved.cause
