-- The monthly revenue that each report says, from its effective time on, unless a newer report says otherwise.
create table read.mrr_reports_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    subscription text not null,
    currency text not null,
    -- Zero while the subscription's status is not revenue.
    monthly bigint not null,
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text not null,
    effective_at timestamptz not null,
    stripe_event text,
    -- The terms before and after, if the report has them: they order reports of one second.
    step_from text,
    step_to text,
    -- For a subscription without discounts of its own, as JSON: its customer, and the revenue before their discount.
    undiscounted text,
    constraint mrr_reports_event_vN primary key (shard, account_id, sequence)
);

-- What changed for one account on one day, in one currency. The figure of a day is the sum of all changes up to it.
create table read.mrr_movements_vN (
    shard smallint not null,
    account_id text not null,
    currency text not null,
    day date not null,
    kind text not null,
    before bigint not null,
    after bigint not null,
    -- The event that the movement is attributed to.
    sequence bigint not null,
    stripe_event text,
    subscription text not null,
    constraint mrr_movements_day_vN primary key (shard, account_id, currency, day),
    constraint mrr_movements_move_vN check (before >= 0 and after >= 0 and before <> after)
);
create index mrr_movements_time_vN on read.mrr_movements_vN (day, currency);

-- Days that were over when a report changed them.
create table read.mrr_restatements_vN (
    shard smallint not null,
    position bigint not null,
    account_id text not null,
    currency text not null,
    day date not null,
    recorded_at timestamptz not null,
    stripe_event text,
    kind_before text,
    change_before bigint not null,
    kind_after text,
    change_after bigint not null,
    constraint mrr_restatements_event_vN primary key (shard, account_id, position, currency, day)
);
create index mrr_restatements_time_vN on read.mrr_restatements_vN (day);

-- Since when a subscription is not paid, and since when it is paid again.
create table read.mrr_payments_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    subscription text not null,
    state text not null,
    effective_at timestamptz not null,
    stripe_event text,
    constraint mrr_payments_event_vN primary key (shard, account_id, sequence),
    constraint mrr_payments_state_vN check (state in ('awaited', 'no', 'yes'))
);

-- Discounts of customers, for those of their subscriptions that have none of their own.
create table read.mrr_discounts_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    customer text not null,
    discount text not null,
    ended boolean not null,
    -- What it takes off, as JSON; null if it lasts for a limited time, or has ended.
    off text,
    effective_at timestamptz not null,
    stripe_event text,
    constraint mrr_discounts_event_vN primary key (shard, account_id, sequence)
);
