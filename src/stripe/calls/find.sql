-- Which request was sent to Stripe under a key, and what is its outcome?
select stripe_key, asked, request, state, answer, begun_at, actor
from ledger.stripe_calls
where account = $1 and operation = $2 and idempotency_key = $3
