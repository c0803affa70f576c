-- What waited for these customers ($1) to be linked, or for these payments ($4) to be known, is due now ($2), also what
-- had been given up on for that ($3, $5).
update ledger.stripe_inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $2
where (customer = any ($1) and state in ('waiting', 'dead') and reason = $3)
   or (payment = any ($4) and state in ('waiting', 'dead', 'ignored') and reason = $5)
