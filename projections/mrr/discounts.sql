-- Which discounts do customers of these accounts have?
select account_id, sequence, customer, discount, ended, off, effective_at, stripe_event
from read.mrr_discounts_vN
where account_id = any ($1)
order by account_id, sequence
