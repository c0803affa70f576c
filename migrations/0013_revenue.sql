-- What a subscription brings also rests on whether it is paid for, and on which report of one second is the later one. Every
-- version of the read model gets the columns and the table that a rebuild makes.

do $$
declare
    version text;
begin
    for version in
        select substring(tablename from 'v[0-9]+$') from pg_tables
        where schemaname = 'read' and tablename ~ '^mrr_reports_v[0-9]+$'
    loop
        execute format(
            'alter table read.%I add column step_from text, add column step_to text', 'mrr_reports_' || version
        );
        execute format(
            'create table read.%I (
                account_id text not null,
                sequence bigint not null,
                subscription text not null,
                paid boolean not null,
                effective_at timestamptz not null,
                stripe_event text,
                constraint %I primary key (account_id, sequence)
            )',
            'mrr_payments_' || version, 'mrr_payments_event_' || version
        );
    end loop;
    select 'v' || live_version into version from read.projections where projection = 'mrr';
    execute format('create view read.mrr_payments as select * from read.%I', 'mrr_payments_' || coalesce(version, 'v1'));
end
$$;
call ledger.hand_over_read_models();
