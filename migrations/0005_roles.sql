-- With which rights the program works: enough to append events through `ledger.append`, not to change one.
--
-- Roles belong to the whole server and not to a database, so another database may have made this one already, or be
-- making it at this moment.
do $$
begin
    if not exists (select from pg_roles where rolname = 'counterfoil_service') then
        create role counterfoil_service nologin;
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

-- Whoever migrates can take the role on. A superuser could anyhow; a login that may create roles gets it here.
do $$
begin
    if not pg_has_role(current_user, 'counterfoil_service', 'usage') then
        execute format('grant counterfoil_service to %I', current_user);
    end if;
exception
    when unique_violation then null;
end
$$;

grant usage on schema ledger to counterfoil_service;

-- What the program keeps beside the events can be changed, now and in the tables of later migrations…
grant select, insert, update, delete on all tables in schema ledger to counterfoil_service;
alter default privileges in schema ledger grant select, insert, update, delete on tables to counterfoil_service;

-- …but the journal can only be read. It grows through the two functions below, which run with their owner's rights.
revoke insert, update, delete, truncate on ledger.events, ledger.blocks, ledger.heads from counterfoil_service;

-- Locks the end of a shard's order until the transaction ends. A function, since whoever may lock a row by a
-- statement may also change it.
create function ledger.lock_head(in_shard smallint) returns bigint
language sql
security definer
set search_path = pg_catalog
as $$
    select position from ledger.heads where shard = in_shard for update
$$;

alter function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], bytea[]
) security definer;

revoke execute on function
    ledger.lock_head(smallint),
    ledger.append(
        smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], bytea[]
    )
from public;
grant execute on function
    ledger.lock_head(smallint),
    ledger.append(
        smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], bytea[]
    )
to counterfoil_service;

-- The read models are the program's own: it makes tables for a rebuild, and drops them. A migration that adds to
-- them calls this at its end.
create procedure ledger.hand_over_read_models()
language plpgsql
as $$
declare
    relation record;
begin
    for relation in
        select class.relname, class.relkind
        from pg_class class
        where class.relnamespace = 'read'::regnamespace
        and class.relkind in ('r', 'v', 'm', 'S')
        and class.relowner <> 'counterfoil_service'::regrole
        -- The sequence of an identity column follows its table.
        and not (class.relkind = 'S' and exists (
            select from pg_depend depend where depend.objid = class.oid and depend.deptype in ('a', 'i')
        ))
    loop
        execute format(
            'alter %s read.%I owner to counterfoil_service',
            case relation.relkind when 'r' then 'table' when 'v' then 'view' when 'm' then 'materialized view'
                else 'sequence' end,
            relation.relname
        );
    end loop;
end
$$;

grant all on schema read to counterfoil_service;
-- A view reads with its owner's rights, also the tables that somebody else made in a rebuild.
alter default privileges in schema read grant all on tables to counterfoil_service;
call ledger.hand_over_read_models();
