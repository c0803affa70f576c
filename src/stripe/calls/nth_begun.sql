-- When was the nth latest call begun, if that was after a time?
select begun_at
from ledger.stripe_calls
where account = $1 and operation = $2 and begun_at > $3
order by begun_at desc
offset $4 limit 1
