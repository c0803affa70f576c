-- Deletes pages at Stripe that were requested before a time, since nobody returns to them.
delete from ledger.stripe_calls
where ctid in (
    select ctid
    from ledger.stripe_calls
    where operation in ('checkout_session', 'portal_session') and changed_at < $1 and state <> 'open'
    limit $2
)
