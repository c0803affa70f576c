-- Which subscriptions are on a plan, with this status?
select account_id, subscription, effective_at, position, status, plan, terms
from read.subscriptions
where plan = $4 and status = $5 and (account_id, subscription) > ($1, $2)
order by account_id, subscription
limit $3
