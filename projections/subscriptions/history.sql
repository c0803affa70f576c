-- What was reported on the subscriptions of an account?
select subscription, sequence, position, event, effective_at, recorded_at, late, stripe_event, terms
from read.subscription_reports
where shard = $1 and account_id = $2 and ($3::text is null or subscription = $3)
order by subscription, sequence
