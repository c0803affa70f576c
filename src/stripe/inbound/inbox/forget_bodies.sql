-- Deletes the documents of events that were handled before a time.
update ledger.stripe_inbox set body = null
where event_id = any (array(
    select event_id
    from ledger.stripe_inbox
    where body is not null and state in ('processed', 'ignored', 'discarded') and changed_at < $1
    order by changed_at
    limit $2
))
