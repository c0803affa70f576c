-- Adds a payment.
insert into read.payments_vN (
    shard, account_id, paid, kind, paid_at, minor, currency, subscription, plan, pack, quantity
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict do nothing
