-- Wakes events that waited for these customers ($1) to be linked, or for these payments ($4) to be known, including
-- those that were given up for that reason ($3, $5): they are due now ($2). Events about these customers' discounts
-- are handled again, since they go to each linked account.
--
-- With the offsets, each needs one look-up in an index, whatever the statistics of the table are.
update ledger.stripe_inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $2
where event_id in (
    select event.event_id
    from unnest($1::text[]) as linked (customer)
    cross join lateral (
        select event_id, reason from ledger.stripe_inbox
        where stripe_inbox.customer = linked.customer and state in ('waiting', 'dead')
        offset 0
    ) as event
    where event.reason = $3
    union all
    select event.event_id
    from unnest($1::text[]) as linked (customer)
    cross join lateral (
        select event_id, state from ledger.stripe_inbox
        where stripe_inbox.customer = linked.customer and event_type like 'customer.discount.%'
        offset 0
    ) as event
    where event.state in ('ignored', 'processed')
    union all
    select event.event_id
    from unnest($4::text[]) as known (payment)
    cross join lateral (
        select event_id, state, reason from ledger.stripe_inbox where stripe_inbox.payment = known.payment offset 0
    ) as event
    where event.state in ('waiting', 'dead', 'ignored') and event.reason = $5
)
