-- Keeps which account each report ($2) says that its subscription ($1) belongs to ($3). What had to wait for the first report
-- on a subscription is due now ($9): reports on it that name no price of ours, and events of its party ($8) that could not
-- be told from those of another account ($10). What was paid after a report says that the subscription belongs to another
-- account is handled again, for that account.
with told as (
    select *
    from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::text[], $7::text[], $8::text[])
        as told (subscription, evidence, account, reported_at, rank, step_from, step_to, party)
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
    from told
    where inbox.state = 'processed'
        and inbox.event_type like 'invoice%'
        and inbox.party = told.party
        and inbox.account <> told.account
        and inbox.created_at >= told.reported_at
)
update ledger.stripe_inbox as inbox
set state = 'received', next_attempt_at = null, attempts = 0, changed_at = $9
from news
where inbox.state in ('waiting', 'dead')
    and ((inbox.party = news.party and inbox.reason = $10)
        or (inbox.object = news.subscription and inbox.event_type like 'customer.subscription.%'))
