-- Lots of credits that were paid for, and what became of them.
create table read.deferred_lots_vN (
    shard smallint not null,
    account_id text not null,
    grant_id text not null,
    -- Where the grant came from, in the words of a statement.
    source text not null,
    sold_at timestamptz not null,
    currency text not null,
    -- What was paid for all of it, in minor units.
    cost bigint not null,
    amount bigint not null,
    spent bigint not null,
    expired bigint not null,
    taken bigint not null,
    refunded bigint not null,
    -- Of spent and expired credits, those whose money was returned all the same.
    used_and_refunded bigint not null,
    constraint deferred_lot_vN primary key (shard, account_id, grant_id),
    constraint deferred_lots_use_vN check (
        least(spent, expired, taken, refunded, used_and_refunded) >= 0
        and spent + expired + taken + refunded <= amount
    )
);

-- The events that say what was paid for subscriptions, and what was returned of it.
create table read.deferred_facts_vN (
    shard smallint not null,
    account_id text not null,
    sequence bigint not null,
    -- As JSON.
    event text not null,
    constraint deferred_fact_vN primary key (shard, account_id, sequence)
);

-- Money of subscriptions that is earned evenly: of `minor`, which is that of the whole period, the part from `since`
-- until before `until`.
create table read.deferred_spans_vN (
    shard smallint not null,
    account_id text not null,
    number integer not null,
    currency text not null,
    minor bigint not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    since timestamptz not null,
    until timestamptz not null,
    constraint deferred_span_vN primary key (shard, account_id, number),
    constraint deferred_spans_order_vN check (since < until and period_start < period_end)
);
-- What is earned in some days, without reading what was before or after.
create index deferred_spans_time_vN on read.deferred_spans_vN using gist (tstzrange(since, until));

-- What happened to money that was paid in advance, by day, in UTC. Days that are to come have what will be earned.
create table read.deferred_days_vN (
    shard smallint not null,
    day date not null,
    currency text not null,
    source text not null,
    kind text not null,
    minor numeric not null,
    -- What it adds to what is deferred.
    deferred numeric not null,
    -- When an event was last recorded that changed the day after it was over; null if none did.
    restated_at timestamptz,
    constraint deferred_day_vN primary key (shard, day, currency, source, kind)
);
create index deferred_days_time_vN on read.deferred_days_vN (day);

-- By how much all of it changed what is deferred, by month, in UTC.
create table read.deferred_months_vN (
    shard smallint not null,
    -- The first day of the month.
    month date not null,
    currency text not null,
    source text not null,
    deferred numeric not null,
    constraint deferred_month_vN primary key (shard, month, currency, source)
);

-- What is in `deferred_days` of each account, without what is earned evenly: that is in `deferred_spans`.
create table read.deferred_accounts_vN (
    shard smallint not null,
    account_id text not null,
    day date not null,
    currency text not null,
    source text not null,
    kind text not null,
    minor bigint not null,
    deferred bigint not null,
    constraint deferred_account_vN primary key (shard, account_id, day, currency, source, kind)
);
create index deferred_accounts_time_vN on read.deferred_accounts_vN (day, kind);
