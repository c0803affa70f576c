-- Forgets a call that was asked first before an instant.
--
-- Of what was asked first before an instant.
delete from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open' and asked_at < $4
