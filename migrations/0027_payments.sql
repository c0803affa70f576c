-- What was paid and what went back, over all accounts, and subscriptions by their plan and status, page by page.

create table read.payments_v1 (
    account_id text not null,
    paid text collate "C" not null,
    -- `subscription`, `pack` or `plain`.
    kind text not null,
    paid_at timestamptz not null,
    minor bigint not null,
    currency text not null,
    subscription text,
    plan text,
    pack text,
    quantity bigint,
    constraint payments_paid_v1 primary key (account_id, paid)
);
create index payments_kind_v1 on read.payments_v1 (kind, paid_at desc, account_id desc, paid desc);

create table read.payment_links_v1 (
    account_id text not null,
    invoice text collate "C" not null,
    payment text collate "C" not null,
    constraint payment_links_payment_v1 primary key (account_id, invoice, payment)
);

create table read.refunds_v1 (
    account_id text not null,
    refund text collate "C" not null,
    payment text not null,
    refunded_at timestamptz not null,
    minor bigint not null,
    currency text not null,
    -- The money did not arrive, and is back with the seller.
    failed boolean not null,
    constraint refunds_refund_v1 primary key (account_id, refund)
);
create index refunds_time_v1 on read.refunds_v1 (refunded_at desc, account_id desc, refund desc);

create view read.payments as select * from read.payments_v1;
create view read.payment_links as select * from read.payment_links_v1;
create view read.refunds as select * from read.refunds_v1;

do $$
declare
    version text;
begin
    for version in
        select substring(tablename from 'v[0-9]+$') from pg_tables
        where schemaname = 'read' and tablename ~ '^subscriptions_v[0-9]+$'
    loop
        execute format('drop index read.%I', 'subscriptions_plan_' || version);
        execute format(
            'create index %I on read.%I (plan, status, account_id, subscription)',
            'subscriptions_plan_' || version, 'subscriptions_' || version
        );
        execute format(
            'create index %I on read.%I (status, account_id, subscription)',
            'subscriptions_status_' || version, 'subscriptions_' || version
        );
    end loop;
end
$$;
call ledger.hand_over_read_models();
