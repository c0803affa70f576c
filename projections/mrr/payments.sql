-- Which invoices of these accounts were paid, and which were not?
select account_id, sequence, subscription, state, effective_at, stripe_event
from read.mrr_payments_vN
where account_id = any ($1)
order by account_id, sequence
