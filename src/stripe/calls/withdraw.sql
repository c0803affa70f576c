-- Deletes a call that was begun.
--
-- It was not sent, so the same key can be used again.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'untouched'
