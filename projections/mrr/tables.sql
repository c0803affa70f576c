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
    -- What it says of whether the subscription is paid for, and when it will end.
    standing text not null,
    cancel_at timestamptz,
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
    -- The day of the account's next movement in this currency, until which `after` holds; null if there is none.
    until_day date,
    -- What took the last of the revenue, if that is what happened.
    cause text,
    constraint mrr_movements_day_vN primary key (shard, account_id, currency, day),
    constraint mrr_movements_move_vN check (before >= 0 and after >= 0 and before <> after),
    constraint mrr_movements_until_vN check (until_day > day),
    constraint mrr_movements_cause_vN check ((kind = 'churn') = (cause is not null))
);
create index mrr_movements_time_vN on read.mrr_movements_vN (day, currency);
-- Who paid at the end of a day: without reading what was before or after.
create index mrr_movements_span_vN on read.mrr_movements_vN using gist (daterange(day, until_day)) where after > 0;

-- The sums of all movements of a shard, by day, currency and kind. A day without movements has no row.
create table read.mrr_days_vN (
    shard smallint not null,
    day date not null,
    currency text not null,
    kind text not null,
    change numeric not null,
    count bigint not null,
    constraint mrr_day_vN primary key (shard, day, currency, kind)
);
create index mrr_days_time_vN on read.mrr_days_vN (day);
-- What has no movements any more, and is deleted.
create index mrr_days_empty_vN on read.mrr_days_vN (shard) where count = 0;

-- The same by month. So the MRR at the start of a day is the sum of a row for each month before it, and of days.
create table read.mrr_months_vN (
    shard smallint not null,
    -- The first day of the month.
    month date not null,
    currency text not null,
    kind text not null,
    change numeric not null,
    count bigint not null,
    constraint mrr_month_vN primary key (shard, month, currency, kind)
);
create index mrr_months_empty_vN on read.mrr_months_vN (shard) where count = 0;

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
create index mrr_restatements_time_vN on read.mrr_restatements_vN (day, recorded_at);

-- When a day of a month was last changed after it was over.
create table read.mrr_restated_months_vN (
    shard smallint not null,
    -- The first day of the month.
    month date not null,
    currency text not null,
    restated_at timestamptz not null,
    constraint mrr_restated_month_vN primary key (shard, month, currency)
);

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

-- Requests to cancel a subscription, and that it goes on after all.
create table read.mrr_requests_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    subscription text not null,
    withdrawn boolean not null,
    effective_at timestamptz not null,
    constraint mrr_requests_event_vN primary key (shard, account_id, sequence)
);

-- Subscriptions that are past due, or set to end, and still count.
create table read.mrr_at_risk_vN (
    shard smallint not null,
    account_id text not null,
    subscription text not null,
    currency text not null,
    mrr bigint not null,
    past_due boolean not null,
    cancel_at timestamptz,
    -- When the report took effect that says so.
    since timestamptz not null,
    constraint mrr_at_risk_subscription_vN primary key (shard, account_id, subscription),
    constraint mrr_at_risk_why_vN check (past_due or cancel_at is not null)
);
