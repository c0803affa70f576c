-- All accounts, with the columns that lists are filtered by.
create table read.accounts_vN (
    shard smallint not null,
    account_id text collate "C" not null,
    opened_at timestamptz not null,
    free_plan text not null,
    -- `open` or `closed`.
    status text not null,
    -- The plan of the newest subscription that gives access, else the free one.
    plan text not null,
    subscription text,
    subscription_status text,
    -- The event that opened or closed it.
    position bigint not null,
    constraint accounts_account_vN primary key (shard, account_id)
);
create index accounts_id_vN on read.accounts_vN (account_id);
create index accounts_opened_vN on read.accounts_vN (opened_at, account_id);
create index accounts_status_vN on read.accounts_vN (status, opened_at, account_id);
create index accounts_plan_vN on read.accounts_vN (plan, status, opened_at, account_id);

create table read.account_customers_vN (
    shard smallint not null,
    account_id text not null,
    customer text not null,
    -- A deleted customer stays deleted, however late its creation is reported.
    gone boolean not null,
    constraint account_customers_customer_vN primary key (shard, account_id, customer)
);
create index account_customers_by_customer_vN on read.account_customers_vN (customer);

-- The metadata of accounts, with the columns that lists are filtered by, so that one scan of an index finds a page.
create table read.account_metadata_vN (
    shard smallint not null,
    account_id text collate "C" not null,
    name text collate "C" not null,
    value text collate "C" not null,
    opened_at timestamptz not null,
    status text not null,
    plan text not null,
    constraint account_metadata_name_vN primary key (shard, account_id, name)
);
create index account_metadata_status_vN on read.account_metadata_vN (name, value, status, opened_at, account_id);
create index account_metadata_plan_vN on read.account_metadata_vN (name, value, plan, status, opened_at, account_id);

-- The newest report on each subscription, with the columns that decide which plan holds.
create table read.account_plans_vN (
    shard smallint not null,
    account_id text not null,
    subscription text not null,
    plan text not null,
    status text not null,
    gives_access boolean not null,
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    constraint account_plans_subscription_vN primary key (shard, account_id, subscription)
);
