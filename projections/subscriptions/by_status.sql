-- Which subscriptions have this status?
select account_id, subscription, effective_at, position, status, plan, terms
from read.subscriptions
where status = $4 and (account_id, subscription) > ($1, $2)
order by account_id, subscription
limit $3
