-- Every report on a subscription, including late ones. Changes are found by comparing each report with the one before
-- it, so that a late report takes its place without any other row being changed.
create table read.subscription_reports_vN (
    shard smallint not null,
    account_id text not null,
    subscription text collate "C" not null,
    sequence bigint not null,
    position bigint not null,
    event text not null,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    -- Whether the report says that the subscription has ended, and its place among the others: the greatest holds.
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    -- A newer report was recorded before this one.
    late boolean not null,
    stripe_event text,
    terms jsonb not null,
    constraint subscription_reports_event_vN primary key (shard, account_id, sequence)
);

-- Requests for subscriptions over the API. Their results are among the reports.
create table read.subscription_requests_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    position bigint not null,
    subscription text collate "C" not null,
    requested jsonb not null,
    requested_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint subscription_requests_event_vN primary key (shard, account_id, sequence)
);

-- The newest report on each subscription.
create table read.subscriptions_vN (
    shard smallint not null,
    account_id text not null,
    subscription text collate "C" not null,
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    effective_at timestamptz not null,
    position bigint not null,
    status text not null,
    plan text not null,
    terms jsonb not null,
    constraint subscriptions_subscription_vN primary key (shard, account_id, subscription)
);
create index subscriptions_id_vN on read.subscriptions_vN (account_id, subscription);
create index subscriptions_of_plan_vN on read.subscriptions_vN (plan, account_id, subscription);
create index subscriptions_plan_vN on read.subscriptions_vN (plan, status, account_id, subscription);
create index subscriptions_status_vN on read.subscriptions_vN (status, account_id, subscription);
