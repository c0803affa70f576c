-- Wakes events that wait for a customer to be linked ($2), or for a payment to be known ($3), and need not any more:
-- another instance learned of it while the event was being set aside. They would be tried again later; now ($1) they
-- are due at once.
--
-- With the count, each event needs one look-up in an index; otherwise a scan of the table might be chosen.
update ledger.stripe_inbox as inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $1
where (state in ('waiting', 'dead') and reason = $2
       and (select count(*) from ledger.stripe_links as link where link.customer = inbox.customer) > 0)
   or (state in ('waiting', 'dead', 'ignored') and reason = $3
       and (select count(*) from ledger.stripe_payments as bought where bought.payment = inbox.payment) > 0)
