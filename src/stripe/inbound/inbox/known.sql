-- Which of these events are here?
select event_id from ledger.stripe_inbox where event_id = any ($1)
