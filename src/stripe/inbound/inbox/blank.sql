-- Replaces an event's document by one without personal values.
update ledger.stripe_inbox set body = $2, blanked = true where event_id = $1
