-- Accounts are listed by plan, status and metadata, a page by one walk of an index. The read model is made new, and
-- fills itself from the journal; until it has, its answers say how far it is.

do $$
declare
    relation text;
begin
    drop view read.accounts, read.account_customers, read.account_plans;
    for relation in
        select tablename from pg_tables
        where schemaname = 'read' and tablename ~ '^(accounts|account_customers|account_plans)_v[0-9]+$'
    loop
        execute format('drop table read.%I', relation);
    end loop;
    delete from read.parked where projection = 'accounts';
    delete from read.checkpoints where projection = 'accounts';
    delete from read.projections where projection = 'accounts';
end
$$;

create table read.accounts_v1 (
    account_id text collate "C" not null,
    shard smallint not null,
    opened_at timestamptz not null,
    free_plan text not null,
    -- `open` or `closed`.
    status text not null,
    -- That of the newest subscription that gives access, else the free one.
    plan text not null,
    subscription text,
    subscription_status text,
    -- The event that opened or closed it.
    position bigint not null,
    constraint accounts_account_v1 primary key (account_id)
);
create index accounts_opened_v1 on read.accounts_v1 (opened_at, account_id);
create index accounts_status_v1 on read.accounts_v1 (status, opened_at, account_id);
create index accounts_plan_v1 on read.accounts_v1 (plan, status, opened_at, account_id);

create table read.account_customers_v1 (
    account_id text not null,
    customer text not null,
    -- A customer that is gone does not come back, however late its creation is reported.
    gone boolean not null,
    constraint account_customers_customer_v1 primary key (account_id, customer)
);
create index account_customers_by_customer_v1 on read.account_customers_v1 (customer);

-- What the caller attached, with what a list of accounts is narrowed by, so that one walk of an index finds a page.
create table read.account_metadata_v1 (
    account_id text collate "C" not null,
    name text collate "C" not null,
    value text collate "C" not null,
    opened_at timestamptz not null,
    status text not null,
    plan text not null,
    constraint account_metadata_name_v1 primary key (account_id, name)
);
create index account_metadata_status_v1 on read.account_metadata_v1 (name, value, status, opened_at, account_id);
create index account_metadata_plan_v1 on read.account_metadata_v1 (name, value, plan, status, opened_at, account_id);

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
create view read.account_metadata as select * from read.account_metadata_v1;
create view read.account_plans as select * from read.account_plans_v1;
-- Who asked over the API for what was done at Stripe.
alter table ledger.stripe_calls
    -- The id of an API key, or `clock`. Null: it was for no change of a subscription, or before this was written down.
    add column actor text;

-- What was asked of subscriptions. Nobody has been noted before, so there is nothing to read again.
do $$
declare
    version text;
begin
    for version in
        select substring(tablename from 'v[0-9]+$') from pg_tables
        where schemaname = 'read' and tablename ~ '^subscriptions_v[0-9]+$'
    loop
        execute replace($table$
            create table read.subscription_requests_vN (
                account_id text not null,
                sequence bigint not null,
                position bigint not null,
                subscription text collate "C" not null,
                requested jsonb not null,
                requested_at timestamptz not null,
                recorded_at timestamptz not null,
                constraint subscription_requests_event_vN primary key (account_id, sequence)
            )
        $table$, 'vN', version);
    end loop;
    -- Which invoice a payment paid.
    for version in
        select substring(tablename from 'v[0-9]+$') from pg_tables
        where schemaname = 'read' and tablename ~ '^payment_links_v[0-9]+$'
    loop
        execute format(
            'create index %I on read.%I (account_id, payment)',
            'payment_links_of_payment_' || version, 'payment_links_' || version
        );
    end loop;
    select 'v' || live_version into version from read.projections where projection = 'subscriptions';
    execute format(
        'create view read.subscription_requests as select * from read.%I',
        'subscription_requests_' || coalesce(version, 'v1')
    );
end
$$;
call ledger.hand_over_read_models();
