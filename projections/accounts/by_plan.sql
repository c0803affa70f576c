-- Which accounts are on a plan, with this status?
--
-- The bounds are rows of the index, as in `by_status.sql`.
select shard, account_id, opened_at, status, plan, subscription, subscription_status
from read.accounts
where (plan, status) >= ($5, $1) and (plan, status, opened_at, account_id) < ($5, $1, $2, $3)
order by plan desc, status desc, opened_at desc, account_id desc
limit $4
