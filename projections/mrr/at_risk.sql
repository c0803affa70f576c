-- What do the accounts pay of which a subscription is past due, or set to end, by currency?
select
    currency,
    sum(mrr)::bigint as mrr,
    count(*) as accounts,
    sum(past_due)::bigint as mrr_past_due,
    count(*) filter (where past_due > 0) as accounts_past_due,
    sum(set_to_end)::bigint as mrr_set_to_end,
    count(*) filter (where set_to_end > 0) as accounts_set_to_end
from (
    select
        currency,
        shard,
        account_id,
        sum(mrr) as mrr,
        coalesce(sum(mrr) filter (where past_due), 0) as past_due,
        coalesce(sum(mrr) filter (where cancel_at is not null), 0) as set_to_end
    from read.mrr_at_risk
    where $1::text is null or currency = $1
    group by currency, shard, account_id
) accounts
group by currency
order by currency
