-- How far each read model is. `projections/` says what is in them; everything here can be dropped and rebuilt.

create table read.projections (
    projection text primary key,
    -- The version whose tables the views show.
    live_version integer not null
);
comment on table read.projections is 'One row a read model.';

create table read.checkpoints (
    projection text not null,
    version integer not null,
    shard smallint not null,
    -- The last position that is in the tables, or whose account is parked. Moves in the transaction that writes them.
    position bigint not null,
    -- Counts changes of the parked accounts, so that whoever decided on an older set of them notices.
    parks bigint not null default 0,
    -- Why nothing is applied any more, until someone resumes it.
    stopped text,
    constraint checkpoints_version primary key (projection, version, shard)
);

-- Accounts with an event that could not be applied. It and the later ones of the account wait.
create table read.parked (
    projection text not null,
    version integer not null,
    shard smallint not null,
    account_id text not null,
    -- The event that could not be applied.
    position bigint not null,
    reason text not null,
    parked_at timestamptz not null,
    constraint parked_account primary key (projection, version, shard, account_id)
);

-- Version 1 of each read model, as in its `tables.sql`, and the views that readers use.

create table read.statements_v1 (
    account_id text not null,
    sequence bigint not null,
    -- An event can move credits in several lines, from 0.
    line smallint not null,
    position bigint not null,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    kind text not null,
    -- What the line adds to what is available; negative when it takes.
    amount bigint not null,
    available bigint not null,
    held bigint not null,
    debt bigint not null,
    grant_ids text[] not null,
    description text,
    generation_id text,
    generation_type text,
    constraint statements_line_v1 primary key (account_id, sequence, line)
);
create view read.statements as select * from read.statements_v1;

create table read.usage_v1 (
    account_id text not null,
    day date not null,
    -- Empty for credits that were spent on something that the caller named.
    generation_type text not null,
    count bigint not null,
    credits bigint not null,
    refunds bigint not null,
    credits_refunded bigint not null,
    constraint usage_day_v1 primary key (account_id, day, generation_type)
) with (fillfactor = 70);
create view read.usage as select * from read.usage_v1;

-- Every report on a subscription, also those that came late. What changed is read by comparing each with the one
-- before it in the order of evidence, so that a late one takes its place without any row being rewritten.
create table read.subscription_reports_v1 (
    account_id text not null,
    subscription text collate "C" not null,
    sequence bigint not null,
    position bigint not null,
    event text not null,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    -- Whether the subscription has ended by this report, and its place among the others: the greatest holds.
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    -- A newer report was recorded before this one.
    late boolean not null,
    stripe_event text,
    terms jsonb not null,
    constraint subscription_reports_event_v1 primary key (account_id, sequence)
);

-- The report that holds, of each subscription.
create table read.subscriptions_v1 (
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
    constraint subscriptions_subscription_v1 primary key (account_id, subscription)
);
create index subscriptions_plan_v1 on read.subscriptions_v1 (plan, status);
create view read.subscription_reports as select * from read.subscription_reports_v1;
create view read.subscriptions as select * from read.subscriptions_v1;

-- What each report says that the account is worth a month from then on, as far as a newer one does not say otherwise.
create table read.mrr_reports_v1 (
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
    constraint mrr_reports_event_v1 primary key (account_id, sequence)
);

-- What changed for one account on one day, in one currency. The figure of a day is the sum of all changes up to it.
create table read.mrr_movements_v1 (
    account_id text not null,
    currency text not null,
    day date not null,
    kind text not null,
    before bigint not null,
    after bigint not null,
    -- The event that the account's figure of the day rests on.
    sequence bigint not null,
    stripe_event text,
    subscription text not null,
    constraint mrr_movements_day_v1 primary key (account_id, currency, day),
    constraint mrr_movements_move_v1 check (before >= 0 and after >= 0 and before <> after)
);
create index mrr_movements_time_v1 on read.mrr_movements_v1 (day, currency);

-- Days that were over when a report changed them.
create table read.mrr_restatements_v1 (
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
    constraint mrr_restatements_event_v1 primary key (account_id, position, currency, day)
);
create index mrr_restatements_time_v1 on read.mrr_restatements_v1 (day);
create view read.mrr_reports as select * from read.mrr_reports_v1;
create view read.mrr_movements as select * from read.mrr_movements_v1;
create view read.mrr_restatements as select * from read.mrr_restatements_v1;

create table read.deadlines_v1 (
    account_id text not null,
    due_at timestamptz not null,
    constraint deadlines_due_v1 primary key (due_at, account_id)
);
create view read.deadlines as select * from read.deadlines_v1;

create table read.accounts_v1 (
    account_id text not null,
    shard smallint not null,
    opened_at timestamptz not null,
    free_plan text not null,
    -- `open` or `closed`.
    status text not null,
    -- The event that changed the row last.
    position bigint not null,
    constraint accounts_account_v1 primary key (account_id)
);
create index accounts_opened_v1 on read.accounts_v1 (opened_at desc, account_id desc);

create table read.account_customers_v1 (
    account_id text not null,
    customer text not null,
    -- A customer that is gone does not come back, however late its creation is reported.
    gone boolean not null,
    constraint account_customers_customer_v1 primary key (account_id, customer)
);
create index account_customers_by_customer_v1 on read.account_customers_v1 (customer);

-- The newest report on each subscription, as far as it says which plan holds.
create table read.account_plans_v1 (
    account_id text not null,
    subscription text not null,
    plan text not null,
    status text not null,
    gives_access boolean not null,
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    constraint account_plans_subscription_v1 primary key (account_id, subscription)
);
create view read.accounts as select * from read.accounts_v1;
create view read.account_customers as select * from read.account_customers_v1;
create view read.account_plans as select * from read.account_plans_v1;
