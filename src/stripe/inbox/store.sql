insert into ledger.stripe_inbox (
    event_id, event_type, api_version, created_at, livemode, connect_account, secret, body, received_at, party,
    customer, payment, state, changed_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'received', $9)
on conflict on constraint stripe_inbox_event do nothing
