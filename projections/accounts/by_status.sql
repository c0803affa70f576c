-- Which accounts have one of these statuses?
--
-- The index is scanned once for each status. The bounds are rows of the index, so that it is scanned in its order, even
-- without statistics of the table.
select found.*
from unnest($1::text[]) wanted (status)
cross join lateral (
    select account_id, shard, opened_at, status, plan, subscription, subscription_status
    from read.accounts
    where status >= wanted.status and (status, opened_at, account_id) < (wanted.status, $2, $3)
    order by status desc, opened_at desc, account_id desc
    limit $4
) found
order by opened_at desc, account_id desc
limit $4
