-- Stores that an event is not processed, and why.
update ledger.stripe_inbox
set state = 'discarded', reason = $2, next_attempt_at = null, changed_at = $3
where event_id = $1 and state not in ('processed', 'discarded')
