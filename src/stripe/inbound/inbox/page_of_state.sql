-- Which events in a state ($3) arrived before one of them, the newest first?
select
    arrival, event_id, event_type, state, reason, attempts, next_attempt_at, created_at, received_at, changed_at,
    livemode, api_version, connect_account, proof, secret, customer, account
from ledger.stripe_inbox
where state = $3 and arrival < $1
order by arrival desc
limit $2
