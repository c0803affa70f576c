-- What was requested for the subscriptions of an account?
select subscription, sequence, position, requested, requested_at, recorded_at
from read.subscription_requests
where shard = $1 and account_id = $2 and ($3::text is null or subscription = $3)
order by sequence
