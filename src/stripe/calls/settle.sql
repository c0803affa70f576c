-- Notes what came of a call.
--
-- What is settled stays so: two instances may have asked, and Stripe told both the same.
update ledger.stripe_calls set state = $4, answer = $5, changed_at = $6
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open'
