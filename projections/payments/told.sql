-- What were these payments of an account for? A payment without an invoice, or an invoice's.
select wanted.payment, link.invoice, paid.kind, paid.subscription, paid.plan, paid.pack, paid.quantity
from unnest($3::text[]) wanted (payment)
left join lateral (
    select invoice
    from read.payment_links known
    where known.shard = $1 and known.account_id = $2 and known.payment = wanted.payment
    order by invoice
    limit 1
) link on true
left join lateral (
    select kind, subscription, plan, pack, quantity
    from read.payments known
    where known.shard = $1 and known.account_id = $2 and known.paid = coalesce(link.invoice, wanted.payment)
    offset 0
) paid on true
