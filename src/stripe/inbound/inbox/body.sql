-- What does an event's document say?
select body from ledger.stripe_inbox where event_id = $1
