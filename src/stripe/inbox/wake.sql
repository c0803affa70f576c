-- What waited for these customers ($1) to be linked, or for these payments ($4) to be known, is due now ($2), also what
-- had been given up on for that ($3, $5). What these customers have taken off is told again: it is told to each account that
-- they stand for, also where it was nobody's before.
update ledger.stripe_inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $2
where (customer = any ($1) and state in ('waiting', 'dead') and reason = $3)
   or (customer = any ($1) and state in ('ignored', 'processed') and event_type like 'customer.discount.%')
   or (payment = any ($4) and state in ('waiting', 'dead', 'ignored') and reason = $5)
