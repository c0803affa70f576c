insert into ledger.stripe_payments (payment, account, known_at)
select bought.payment, bought.account, $3
from unnest($1::text[], $2::text[]) as bought (payment, account)
on conflict on constraint stripe_payments_payment do nothing
