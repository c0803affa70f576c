-- Which accounts have an id that begins so?
--
-- From the first id that begins so up to the first that does not: no id has a character beyond `z`.
select shard, account_id, opened_at, status, plan, subscription, subscription_status
from read.accounts
where account_id >= $1 and account_id > $2 and account_id < $1 || '~'
order by account_id
limit $3
