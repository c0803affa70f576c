-- Stores that a call did not reach Stripe.
--
-- Only if there was no other attempt in the meantime, which may have another outcome.
update ledger.stripe_calls set state = 'untouched', changed_at = $5
where account = $1 and operation = $2 and idempotency_key = $3 and state = 'open' and askings = $4
