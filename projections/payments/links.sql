-- Which payments paid these invoices ($2, $3) of accounts of a shard?
select link.*
from unnest($2::text[], $3::text[]) wanted (account_id, invoice)
cross join lateral (
    select account_id, invoice, payment
    from read.payment_links known
    where known.shard = $1 and known.account_id = wanted.account_id and known.invoice = wanted.invoice
    offset 0
) link
order by payment
