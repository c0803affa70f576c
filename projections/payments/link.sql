-- Adds which payment paid an invoice.
insert into read.payment_links_vN (shard, account_id, invoice, payment)
values ($1, $2, $3, $4)
on conflict do nothing
