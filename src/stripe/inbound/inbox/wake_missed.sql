-- Which of these events ($1) were set aside for a customer to be linked ($3), or for a payment to be known ($4), while
-- another transaction learned of it, are due now ($2). Their attempts stay counted: one that waits all the same waits
-- as others do.
--
-- With the offset and the count, each event needs one look-up in an index; otherwise a scan of the table might be
-- chosen.
update ledger.stripe_inbox
set state = 'received', next_attempt_at = null, changed_at = $2
where event_id in (
    select event.event_id
    from unnest($1::text[]) as aside (event_id)
    cross join lateral (
        select event_id, state, reason, customer, payment from ledger.stripe_inbox
        where stripe_inbox.event_id = aside.event_id
        offset 0
    ) as event
    where event.state in ('waiting', 'dead', 'ignored')
      and ((event.reason = $3 and (select count(*) from ledger.stripe_links where customer = event.customer) > 0)
        or (event.reason = $4 and (select count(*) from ledger.stripe_payments where payment = event.payment) > 0))
)
