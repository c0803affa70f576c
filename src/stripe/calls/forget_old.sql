-- Deletes an open call whose first attempt was before a time.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open' and asked_at < $4
