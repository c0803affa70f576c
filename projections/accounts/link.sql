-- Notes a customer of an account, or that it is gone, which it then stays.
insert into read.account_customers_vN as known (account_id, customer, gone)
values ($1, $2, $3)
on conflict (account_id, customer) do update set gone = known.gone or excluded.gone
