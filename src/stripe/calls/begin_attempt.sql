-- Begins an attempt, the first or a further one.
--
-- From now on it may take effect. Returns nothing if the outcome is known.
with call_before as (
    select state, asked_at
    from ledger.stripe_calls
    where account = $1 and operation = $2 and idempotency_key = $3 and state in ('untouched', 'open')
    for update
)
update ledger.stripe_calls as call
set state = 'open', askings = call.askings + 1, changed_at = $4,
    asked_at = case when call_before.state = 'open' then call.asked_at else $4 end,
    -- A further attempt does not delay the follow-up.
    resolve_at = case when call_before.state = 'open' then call.resolve_at else $5 end
from call_before
where call.account = $1 and call.operation = $2 and call.idempotency_key = $3
returning call_before.state = 'open', call.asked_at, call.askings
