-- Which account each report on a subscription says that it belongs to. A subscription belongs to the account of its newest
-- report, and what is about it goes there: an index of the events of subscriptions, which are the truth.

create table ledger.stripe_reports (
    subscription text not null,
    -- The event that the report came with.
    evidence text not null,
    account text not null,
    -- Where it stands among the reports on the subscription.
    reported_at timestamptz not null,
    rank smallint not null,
    step_from text,
    step_to text,
    known_at timestamptz not null,
    constraint stripe_reports_report primary key (subscription, evidence)
);

insert into ledger.stripe_reports (subscription, evidence, account, reported_at, rank, known_at)
select told.terms ->> 'subscription', told.terms -> 'evidence' ->> 'id', told.account,
    (told.terms -> 'evidence' ->> 'reported_at')::timestamptz, (told.terms -> 'evidence' ->> 'rank')::smallint,
    told.recorded_at
from (
    select event.payload -> event.event_type -> 'terms' as terms, event.aggregate_id as account, event.recorded_at
    from ledger.events as event
    where event.event_type in (
        'TrialStarted', 'SubscriptionStarted', 'SubscriptionRenewed', 'PlanChanged', 'PlanChangeScheduled',
        'SubscriptionPastDue', 'SubscriptionRecovered', 'SubscriptionPaused', 'SubscriptionResumed',
        'CancellationScheduled', 'CancellationWithdrawn', 'SubscriptionEnded'
    )
) as told
on conflict on constraint stripe_reports_report do nothing;
