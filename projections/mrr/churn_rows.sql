-- Which accounts that paid at the start of some days stopped in them, when first, and why? By shard, account and
-- currency, page by page.
select shard, account_id, currency, at_start as mrr_at_start, churned_on, cause
from (
    select
        shard,
        account_id,
        currency,
        (array_agg(before order by day))[1] as at_start,
        (array_agg(day order by day) filter (where kind = 'churn'))[1] as churned_on,
        (array_agg(cause order by day) filter (where kind = 'churn'))[1] as cause
    from read.mrr_movements
    where day >= $1 and day < $2
        and ($3::text is null or currency = $3)
        and (shard, account_id, currency) > ($5::smallint, $6::text, $7::text)
    group by shard, account_id, currency
) accounts
where at_start > 0 and cause is not null
    and ($4::text[] is null or cause = any($4))
order by shard, account_id, currency
limit $8
