-- How much of the revenue of one day is left at another day?
select
    currency,
    sum(at_start)::bigint as mrr_at_start,
    sum(at_end)::bigint as mrr_at_end,
    coalesce(sum(at_end) filter (where at_start > 0), 0)::bigint as kept_and_grown,
    coalesce(sum(least(at_start, at_end)) filter (where at_start > 0), 0)::bigint as kept,
    count(*) filter (where at_start > 0) as accounts_at_start,
    count(*) filter (where at_end > 0) as accounts_at_end,
    count(*) filter (where at_start > 0 and churned) as accounts_churned
from (
    select
        currency,
        shard,
        account_id,
        coalesce(sum(after - before) filter (where day < $1), 0) as at_start,
        sum(after - before) as at_end,
        bool_or(kind = 'churn' and day >= $1) as churned
    from read.mrr_movements
    where day < $2
    group by currency, shard, account_id
) accounts
group by currency
order by currency
