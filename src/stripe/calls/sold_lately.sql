-- Which other calls of an account may have sold a plan: does any have an unknown outcome, and was any begun since a
-- time?
select coalesce(bool_or(state = 'open'), false), coalesce(bool_or(begun_at > $4), false)
from ledger.stripe_calls
where account = $1
    and not (operation = $2 and idempotency_key = $3)
    and state in ('open', 'done')
    and (operation = 'subscription_create'
        or (operation = 'checkout_session' and request -> 'sold' -> 'plan' is not null))
