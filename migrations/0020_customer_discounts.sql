-- What a customer has taken off for ever comes off its subscriptions from the time on at which it began, whichever becomes known
-- first. Every version of the read model gets the columns and the table that a rebuild makes.

do $$
declare
    version text;
begin
    for version in
        select substring(tablename from 'v[0-9]+$') from pg_tables
        where schemaname = 'read' and tablename ~ '^mrr_reports_v[0-9]+$'
    loop
        execute format(
            'alter table read.%I add column undiscounted text', 'mrr_reports_' || version
        );
        execute format(
            'create table read.%I (
                account_id text not null,
                sequence bigint not null,
                customer text not null,
                discount text not null,
                ended boolean not null,
                off text,
                effective_at timestamptz not null,
                stripe_event text,
                constraint %I primary key (account_id, sequence)
            )',
            'mrr_discounts_' || version, 'mrr_discounts_event_' || version
        );
    end loop;
    select 'v' || live_version into version from read.projections where projection = 'mrr';
    execute format('create view read.mrr_discounts as select * from read.%I', 'mrr_discounts_' || coalesce(version, 'v1'));
end
$$;
call ledger.hand_over_read_models();

-- What a customer's discount is told by is told again to each account that the customer turns out to stand for.
create index stripe_inbox_discounts on ledger.stripe_inbox (customer) where event_type like 'customer.discount.%';

-- Releases before this one remembered these events, and recorded nothing of them.
update ledger.stripe_inbox
set state = 'received', reason = null, attempts = 0, changed_at = now()
where state = 'ignored' and event_type like 'customer.discount.%';
