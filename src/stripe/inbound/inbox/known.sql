-- Which of these events are stored?
select event_id from ledger.stripe_inbox where event_id = any ($1)
