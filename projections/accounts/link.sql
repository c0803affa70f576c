-- Adds a customer of an account, or that it was deleted, which is final.
insert into read.account_customers_vN as known (shard, account_id, customer, gone)
values ($1, $2, $3, $4)
on conflict (shard, account_id, customer) do update set gone = known.gone or excluded.gone
