-- What else of an account was asked for that a plan could come of: whether any outcome is unknown, and whether there
-- was any since an instant.
select coalesce(bool_or(state = 'open'), false), coalesce(bool_or(begun_at > $4), false)
from ledger.stripe_calls
where account = $1
    and not (operation = $2 and idempotency_key = $3)
    and state in ('open', 'done')
    and (operation = 'subscription_create'
        or (operation = 'checkout_session' and request -> 'sold' -> 'plan' is not null))
