-- Forgets a call whose outcome is not known, so that the same is asked anew.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open'
