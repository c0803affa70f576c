-- Usage is kept by the quarter of an hour, so that its days are those of whatever time zone the catalog has. The read model is made
-- new, and fills itself from the journal; until it has, its answers say how far it is.

do $$
declare
    relation text;
begin
    drop view read.usage;
    for relation in select tablename from pg_tables where schemaname = 'read' and tablename ~ '^usage_v[0-9]+$' loop
        execute format('drop table read.%I', relation);
    end loop;
    delete from read.parked where projection = 'usage';
    delete from read.checkpoints where projection = 'usage';
    delete from read.projections where projection = 'usage';
end
$$;

create table read.usage_v1 (
    account_id text not null,
    -- When the quarter of an hour began. Every time zone's days begin with one.
    quarter timestamptz not null,
    -- Empty for credits that were spent on something that the caller named.
    generation_type text not null,
    count bigint not null,
    credits bigint not null,
    refunds bigint not null,
    credits_refunded bigint not null,
    constraint usage_quarter_v1 primary key (account_id, quarter, generation_type)
) with (fillfactor = 70);
create view read.usage as select * from read.usage_v1;
call ledger.hand_over_read_models();
