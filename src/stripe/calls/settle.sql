-- Stores the outcome of a call.
--
-- A stored outcome is not changed: two instances may have sent the call, and Stripe answered both the same.
update ledger.stripe_calls set state = $4, answer = $5, changed_at = $6
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open'
