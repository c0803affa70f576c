-- Takes back that a call was begun.
--
-- Stripe was not asked: the same key may ask anew.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'untouched'
