-- Stores an event, unless it is stored already.
insert into ledger.stripe_inbox (
    event_id, event_type, api_version, created_at, livemode, connect_account, proof, secret, body, received_at, party,
    customer, payment, object, state, changed_at, blanked
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'received', $10, true)
on conflict on constraint stripe_inbox_event do nothing
