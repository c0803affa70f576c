-- Keeps an event's document without what is not needed of it.
update ledger.stripe_inbox set body = $2, blanked = true where event_id = $1
