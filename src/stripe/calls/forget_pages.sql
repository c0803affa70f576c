-- Forgets pages of Stripe that were asked for before a time: nobody comes back to them.
delete from ledger.stripe_calls
where ctid in (
    select ctid
    from ledger.stripe_calls
    where operation in ('checkout_session', 'portal_session') and changed_at < $1 and state <> 'open'
    limit $2
)
