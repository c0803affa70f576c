-- Which subscriptions does an account have?
select account_id, subscription, effective_at, position, status, plan, terms
from read.subscriptions
where account_id = $1
order by reported_at desc, subscription
