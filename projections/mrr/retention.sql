-- What became of the accounts that paid at the start of some intervals, by interval and currency? Only of those that
-- moved in an interval: the others pay what they paid.
select
    place,
    currency,
    coalesce(sum(at_end - at_start) filter (where at_start > 0), 0)::bigint as grown,
    coalesce(sum(least(at_end - at_start, 0)) filter (where at_start > 0), 0)::bigint as lost,
    count(*) filter (where at_start > 0 and churned) as accounts_churned,
    count(*) filter (where at_start > 0 and at_end = 0) as accounts_left
from (
    select
        span.place,
        moved.currency,
        moved.shard,
        moved.account_id,
        (array_agg(moved.before order by moved.day))[1] as at_start,
        (array_agg(moved.after order by moved.day desc))[1] as at_end,
        bool_or(moved.kind = 'churn') as churned
    from unnest($1::integer[], $2::date[], $3::date[]) as span (place, first, until)
    join read.mrr_movements moved on moved.day >= span.first and moved.day < span.until
    where $4::text is null or moved.currency = $4
    group by span.place, moved.currency, moved.shard, moved.account_id
) accounts
group by place, currency
order by place, currency
