-- Stores which account ($3) each report ($2) names for its subscription ($1). Events that had to wait for the first
-- report on a subscription are due now ($9): reports on it without a price of the catalog, and events of its party
-- ($8) that might have belonged to another account ($10). Payments after a report that the subscription belongs to
-- another account are handled again, for that account. With the offsets, each of these needs one look-up in an index.
with told as (
    select *
    from unnest(
        $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::text[], $7::text[], $8::text[]
    ) as told (subscription, evidence, account, reported_at, rank, step_from, step_to, party)
),
news as (
    select told.subscription, told.party
    from told
    where not exists (
        select from ledger.stripe_reports as known where known.subscription = told.subscription
    )
),
kept as (
    insert into ledger.stripe_reports (subscription, evidence, account, reported_at, rank, step_from, step_to, known_at)
    select subscription, evidence, account, reported_at, rank, step_from, step_to, $9
    from told
    on conflict on constraint stripe_reports_report do nothing
),
moved as (
    update ledger.stripe_inbox as inbox
    set state = 'received', reason = null, attempts = 0, changed_at = $9
    where inbox.event_id in (
        select paid.event_id
        from told
        cross join lateral (
            select event_id, account from ledger.stripe_inbox
            where party = told.party and state = 'processed' and event_type like 'invoice%'
                and created_at >= told.reported_at
            offset 0
        ) as paid
        where paid.account <> told.account
    )
)
update ledger.stripe_inbox as inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $9
where inbox.event_id in (
    select waiting.event_id
    from news
    cross join lateral (
        select event_id from ledger.stripe_inbox
        where party = news.party and state in ('waiting', 'dead') and reason = $10
        offset 0
    ) as waiting
    union all
    select waiting.event_id
    from news
    cross join lateral (
        select event_id, state, event_type from ledger.stripe_inbox where object = news.subscription offset 0
    ) as waiting
    where waiting.state in ('waiting', 'dead') and waiting.event_type like 'customer.subscription.%'
)
