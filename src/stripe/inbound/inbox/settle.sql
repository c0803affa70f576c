-- Stores the results of events.
update ledger.stripe_inbox as inbox
set state = item.state,
    reason = item.reason,
    attempts = item.attempts,
    next_attempt_at = item.next_attempt_at,
    account = coalesce(item.account, inbox.account),
    asks = item.asks,
    changed_at = $7
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::text[], $8::boolean[])
    as item (event_id, state, reason, attempts, next_attempt_at, account, asks)
where inbox.event_id = item.event_id
