-- How credits came and went on a shard, by quarter of an hour. Amounts are signed.
create table read.credits_quarters_vN (
    shard smallint not null,
    -- The start of the quarter of an hour. The days of all time zones begin with one.
    quarter timestamptz not null,
    -- What happened, in the words of a statement.
    kind text not null,
    -- Empty for what is of no type of generation.
    generation_type text not null,
    count bigint not null,
    available numeric not null,
    held numeric not null,
    debt numeric not null,
    constraint credits_quarter_vN primary key (shard, quarter, kind, generation_type)
);
create index credits_quarters_time_vN on read.credits_quarters_vN (quarter);

-- The same by day, in UTC.
create table read.credits_days_vN (
    shard smallint not null,
    day date not null,
    kind text not null,
    generation_type text not null,
    count bigint not null,
    available numeric not null,
    held numeric not null,
    debt numeric not null,
    -- When an event was last recorded that changed the day after it was over; null if none did.
    restated_at timestamptz,
    constraint credits_day_vN primary key (shard, day, kind, generation_type)
);
create index credits_days_time_vN on read.credits_days_vN (day);

-- By how much all of it changed the credits that there are, by month, in UTC. So what there was at some time is the sum
-- of a row for each month before it, of days, and of quarters of an hour.
create table read.credits_months_vN (
    shard smallint not null,
    -- The first day of the month.
    month date not null,
    available numeric not null,
    held numeric not null,
    debt numeric not null,
    constraint credits_month_vN primary key (shard, month)
);

-- What is in `credits_quarters` for each account, without what `usage` has for each: use and holds.
create table read.credits_accounts_vN (
    shard smallint not null,
    account_id text not null,
    quarter timestamptz not null,
    kind text not null,
    generation_type text not null,
    count bigint not null,
    available numeric not null,
    held numeric not null,
    debt numeric not null,
    constraint credits_account_vN primary key (shard, account_id, quarter, kind, generation_type)
);
create index credits_accounts_time_vN on read.credits_accounts_vN (quarter, kind);
