-- Which accounts have this status?
--
-- The bounds are rows of the index, so that it is scanned in its order, even without statistics of the table.
select shard, account_id, opened_at, status, plan, subscription, subscription_status
from read.accounts
where status >= $1 and (status, opened_at, account_id) < ($1, $2, $3)
order by status desc, opened_at desc, account_id desc
limit $4
