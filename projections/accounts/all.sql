-- Which accounts are there, the newest first, page by page?
select shard, account_id, opened_at, status, plan, subscription, subscription_status
from read.accounts
where (opened_at, account_id) < ($1, $2)
order by opened_at desc, account_id desc
limit $3
