-- Adds a customer of an account, or that it was deleted, which is final.
insert into read.account_customers_vN as known (account_id, customer, gone)
values ($1, $2, $3)
on conflict (account_id, customer) do update set gone = known.gone or excluded.gone
