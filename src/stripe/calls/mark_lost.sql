-- Stores that the outcome of a call can no longer be found out.
update ledger.stripe_calls set state = 'lost', changed_at = $4
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open'
