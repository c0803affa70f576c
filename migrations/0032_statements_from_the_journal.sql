-- Statements are read from the account's own events, so nothing has to copy every movement.

do $$
declare
    relation text;
begin
    drop view read.statements;
    for relation in select tablename from pg_tables where schemaname = 'read' and tablename ~ '^statements_v[0-9]+$' loop
        execute format('drop table read.%I', relation);
    end loop;
    delete from read.parked where projection = 'statements';
    delete from read.checkpoints where projection = 'statements';
    delete from read.projections where projection = 'statements';
end
$$;

-- What was returned of a generation. Its charges and holds have the column `generation`.
create index events_refunded on ledger.events (
    shard, aggregate_id,
    (coalesce(
        payload #>> '{CreditsRefunded,purpose,generation,id}', payload #>> '{CreditsRefunded,purpose,named,id}'
    ))
) where event_type = 'CreditsRefunded';
