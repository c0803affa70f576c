-- Adds which payment paid an invoice.
insert into read.payment_links_vN (account_id, invoice, payment)
values ($1, $2, $3)
on conflict do nothing
