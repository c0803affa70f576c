-- What is an event's document?
select body from ledger.stripe_inbox where event_id = $1
