-- Adds a refund, or that it failed, which is final.
insert into read.refunds_vN as known (shard, account_id, refund, payment, refunded_at, minor, currency, failed)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (shard, account_id, refund) do update set failed = known.failed or excluded.failed
