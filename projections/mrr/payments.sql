select account_id, sequence, subscription, paid, effective_at, stripe_event
from read.mrr_payments_vN
where account_id = any ($1)
order by account_id, sequence
