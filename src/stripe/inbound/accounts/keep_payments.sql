-- Stores which account each payment was for.
insert into ledger.stripe_payments as bought (payment, account, known_at)
select distinct on (told.payment) told.payment, told.account, $3
from unnest($1::text[], $2::text[]) with ordinality as told (payment, account, place)
order by told.payment, told.place desc
on conflict on constraint stripe_payments_payment do update
set account = excluded.account, known_at = excluded.known_at
where bought.account <> excluded.account
