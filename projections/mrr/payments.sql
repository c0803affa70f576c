-- Which invoices of these accounts ($2) of a shard were paid, and which were not?
select payment.*
from unnest($2::text[]) wanted (account_id)
cross join lateral (
    select account_id, sequence, subscription, state, effective_at, stripe_event
    from read.mrr_payments_vN known
    where known.shard = $1 and known.account_id = wanted.account_id
    offset 0
) payment
order by payment.account_id, payment.sequence
