-- What is the state of an event?
select
    arrival, event_id, event_type, state, reason, attempts, next_attempt_at, created_at, received_at, changed_at,
    livemode, api_version, connect_account, proof, secret, customer, account
from ledger.stripe_inbox
where event_id = $1
