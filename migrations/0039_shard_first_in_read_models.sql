-- Every key of what follows the journal begins with the shard, so that the rows of a shard can be together on any node.

alter table read.checkpoints
    drop constraint checkpoints_version,
    add constraint checkpoints_version primary key (shard, projection, version);
alter table read.parked
    drop constraint parked_account,
    add constraint parked_account primary key (shard, projection, version, account_id);

-- The read models are made anew, from their `tables.sql`, and fill themselves.
do $$
declare
    relation text;
begin
    for relation in select viewname from pg_views where schemaname = 'read' loop
        execute format('drop view read.%I', relation);
    end loop;
    for relation in select tablename from pg_tables where schemaname = 'read' and tablename ~ '_v[0-9]+$' loop
        execute format('drop table read.%I', relation);
    end loop;
    delete from read.parked where projection in (select projection from read.projections);
    delete from read.checkpoints where projection in (select projection from read.projections);
    delete from read.projections;
end
$$;
