-- Which subscriptions have one of these statuses?
--
-- The index is scanned once for each status.
select found.*
from unnest($1::text[]) wanted (status)
cross join lateral (
    select account_id, subscription, effective_at, position, status, plan, terms
    from read.subscriptions known
    where known.status = wanted.status and (account_id, subscription) > ($2, $3)
    order by account_id, subscription
    limit $4
) found
order by account_id, subscription
limit $4
