select subscription, sequence, position, event, effective_at, recorded_at, late, stripe_event, terms
from read.subscription_reports
where account_id = $1 and ($2::text is null or subscription = $2)
order by subscription, sequence
