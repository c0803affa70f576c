create table read.accounts_vN (
    account_id text not null,
    shard smallint not null,
    opened_at timestamptz not null,
    free_plan text not null,
    -- `open` or `closed`.
    status text not null,
    -- The event that changed the row last.
    position bigint not null,
    constraint accounts_account_vN primary key (account_id)
);
create index accounts_opened_vN on read.accounts_vN (opened_at desc, account_id desc);

create table read.account_customers_vN (
    account_id text not null,
    customer text not null,
    -- A customer that is gone does not come back, however late its creation is reported.
    gone boolean not null,
    constraint account_customers_customer_vN primary key (account_id, customer)
);
create index account_customers_by_customer_vN on read.account_customers_vN (customer);

-- The newest report on each subscription, as far as it says which plan holds.
create table read.account_plans_vN (
    account_id text not null,
    subscription text not null,
    plan text not null,
    status text not null,
    gives_access boolean not null,
    ended boolean not null,
    reported_at timestamptz not null,
    rank smallint not null,
    evidence_id text collate "C" not null,
    constraint account_plans_subscription_vN primary key (account_id, subscription)
);
