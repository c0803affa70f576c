-- Which subscriptions are past due, or set to end, and what do they bring? By shard, account and subscription, page by
-- page.
select shard, account_id, subscription, currency, mrr, past_due, cancel_at, since
from read.mrr_at_risk
where ($1::text is null or currency = $1)
    and ($2::boolean is null or past_due = $2)
    and ($3::boolean is null or (cancel_at is not null) = $3)
    and (shard, account_id, subscription) > ($4::smallint, $5::text, $6::text)
order by shard, account_id, subscription
limit $7
