-- Which discounts do customers of these accounts ($2) of a shard have?
select discount.*
from unnest($2::text[]) wanted (account_id)
cross join lateral (
    select account_id, sequence, customer, discount, ended, off, effective_at, stripe_event
    from read.mrr_discounts_vN known
    where known.shard = $1 and known.account_id = wanted.account_id
    offset 0
) discount
order by discount.account_id, discount.sequence
