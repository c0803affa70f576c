-- Has every event processed again that an earlier release could not handle.
update ledger.stripe_inbox
set state = 'received', reason = null, attempts = 0, changed_at = $1
where state = 'not_handled_yet'
