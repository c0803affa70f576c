-- Revenue has sums by day and month, until when each movement holds, and why accounts stopped paying. The read model is
-- made new, from its `tables.sql`, and fills itself from the journal; until it has, its answers say how far it is.

do $$
declare
    relation text;
begin
    for relation in
        select viewname from pg_views where schemaname = 'read' and viewname ~ '^mrr_'
    loop
        execute format('drop view read.%I', relation);
    end loop;
    for relation in
        select tablename from pg_tables where schemaname = 'read' and tablename ~ '^mrr_[a-z_]+_v[0-9]+$'
    loop
        execute format('drop table read.%I', relation);
    end loop;
    delete from read.parked where projection = 'mrr';
    delete from read.checkpoints where projection = 'mrr';
    delete from read.projections where projection = 'mrr';
end
$$;
