-- Has an event processed again, as if it had just come.
update ledger.stripe_inbox
set state = 'received', reason = null, attempts = 0, next_attempt_at = null, changed_at = $2
where event_id = $1 and state not in ('received', 'processed') and body is not null
