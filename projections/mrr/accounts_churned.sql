-- How many accounts that paid at the start of some intervals stopped in them, by interval, currency and the cause of
-- the first time?
select place, currency, cause, count(*) as accounts
from (
    select
        span.place,
        moved.currency,
        moved.shard,
        moved.account_id,
        (array_agg(moved.before order by moved.day))[1] as at_start,
        (array_agg(moved.cause order by moved.day) filter (where moved.kind = 'churn'))[1] as cause
    from unnest($1::integer[], $2::date[], $3::date[]) as span (place, first, until)
    join read.mrr_movements moved on moved.day >= span.first and moved.day < span.until
    where $4::text is null or moved.currency = $4
    group by span.place, moved.currency, moved.shard, moved.account_id
) accounts
where at_start > 0 and cause is not null
group by place, currency, cause
order by place, currency, cause
