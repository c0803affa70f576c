-- Deletes a call with an unknown outcome, so that it can be begun again.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open'
