-- A stand-in for what Citus adds to PostgreSQL: it refuses what Citus 13.2 was seen to refuse, and writes down what was
-- asked. It distributes nothing. `citus_stub.findings()` says what would go wrong; empty is good.
create schema citus_stub;

-- The columns of Citus' own tables that are asked for.
create table public.pg_dist_partition (
    logicalrelid regclass primary key,
    partmethod "char" not null,
    colocationid integer not null,
    column_name text
);
create table public.pg_dist_object (
    classid oid not null,
    objid oid not null,
    distribution_argument_index integer,
    force_delegation boolean,
    primary key (classid, objid)
);
create table public.pg_dist_node (
    groupid integer primary key,
    nodename text not null,
    nodeport integer not null,
    noderole text not null default 'primary'
);
create table public.pg_dist_placement (
    shardid bigint not null,
    groupid integer not null
);
-- Each value is in a part of its own here.
create function public.get_shard_id_for_distribution_column(table_name regclass, distribution_value smallint)
returns bigint language sql as $$ select 102000 + distribution_value::bigint $$;
grant select on public.pg_dist_node, public.pg_dist_placement to public;
grant select on public.pg_dist_partition, public.pg_dist_object to public;
create sequence citus_stub.groups start 1;

create function citus_stub.refuse_if_unfit(relation regclass, col text) returns void language plpgsql as $$
declare
    bad text;
    other regclass;
begin
    if exists (select from pg_trigger where tgrelid = relation and not tgisinternal)
        and coalesce(current_setting('citus.enable_unsafe_triggers', true), 'off') <> 'on' then
        raise exception 'cannot distribute relation "%" because it has triggers', relation using errcode = '0A000';
    end if;
    if not exists (select from pg_attribute where attrelid = relation and attname = col and attnotnull) then
        raise exception 'column "%" of % does not exist or can be null', col, relation;
    end if;
    select string_agg(index.indexrelid::regclass::text, ', ') into bad
    from pg_index as index
    where index.indrelid = relation and (index.indisunique or index.indisexclusion)
        and not (select attnum from pg_attribute where attrelid = relation and attname = col) = any (index.indkey);
    if bad is not null then
        raise exception 'cannot create constraint on "%": %', relation, bad using errcode = '0A000';
    end if;
    for other in select confrelid from pg_constraint where contype = 'f' and conrelid = relation loop
        if not exists (select from public.pg_dist_partition where logicalrelid = other) then
            raise exception 'cannot create a foreign key to the local table %', other using errcode = '0A000';
        end if;
    end loop;
end
$$;

-- Only an owner may distribute a table, and this is asked before the rights of the stand-in's owner hold.
create function citus_stub.refuse_stranger(relation regclass, caller name) returns void language plpgsql as $$
begin
    if not pg_has_role(caller, (select relowner from pg_class where oid = relation), 'usage') then
        raise exception 'must be owner of table %', relation using errcode = '42501';
    end if;
end
$$;

create function citus_stub.put(relation regclass, method "char", groupid integer, col text) returns void
language sql security definer
as $$ insert into public.pg_dist_partition values (relation, method, groupid, col) $$;

create function public.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text default 'hash',
    colocate_with text default 'default', shard_count integer default null
) returns void language plpgsql as $$
declare
    beside integer;
begin
    perform citus_stub.refuse_stranger(table_name, current_user);
    perform citus_stub.refuse_if_unfit(table_name, distribution_column);
    if colocate_with not in ('default', 'none') then
        if shard_count is not null then
            raise exception 'Cannot use colocate_with with a table and shard_count at the same time';
        end if;
        select colocationid into beside
        from public.pg_dist_partition where logicalrelid = colocate_with::regclass and partmethod = 'h';
        if beside is null then
            raise exception 'relation % is not distributed', colocate_with;
        end if;
    end if;
    perform citus_stub.put(table_name, 'h', coalesce(beside, nextval('citus_stub.groups')::integer), distribution_column);
end
$$;

create function public.create_reference_table(table_name regclass) returns void language plpgsql as $$
begin
    perform citus_stub.refuse_stranger(table_name, current_user);
    perform citus_stub.put(table_name, 'n', 0, null);
end
$$;

create function public.citus_add_local_table_to_metadata(
    table_name regclass, cascade_via_foreign_keys boolean default false
) returns void language plpgsql as $$
begin
    perform citus_stub.refuse_stranger(table_name, current_user);
    perform citus_stub.put(table_name, 's', 0, null);
end
$$;

create function public.create_distributed_function(
    function_name regprocedure, distribution_arg_name text default null, colocate_with text default 'default',
    force_delegation boolean default null
) returns void language plpgsql security definer as $$
declare
    place integer;
begin
    select ordinality into place
    from pg_proc, unnest(proargnames) with ordinality as argument (name, ordinality)
    where oid = function_name and name = distribution_arg_name;
    if place is null then
        raise exception 'the function has no argument "%"', distribution_arg_name;
    end if;
    if not exists (
        select from public.pg_dist_partition where logicalrelid = colocate_with::regclass and partmethod = 'h'
    ) then
        raise exception 'relation % is not distributed', colocate_with;
    end if;
    insert into public.pg_dist_object values ('pg_proc'::regclass, function_name, place - 1, force_delegation);
end
$$;

grant usage on schema citus_stub to public;
grant usage on sequence citus_stub.groups to public;

create function citus_stub.findings() returns table (finding text) language sql as $$
    select format('%s is placed nowhere', class.oid::regclass)
    from pg_class class
    where class.relkind in ('r', 'p') and class.relnamespace::regnamespace::text in ('ledger', 'read')
        and not exists (select from public.pg_dist_partition placed where placed.logicalrelid = class.oid)
    union all
    select format('%s: unique index %s does not begin with %s', placed.logicalrelid, key.indexrelid::regclass, column_name)
    from public.pg_dist_partition placed
    join pg_index key on key.indrelid = placed.logicalrelid and key.indisunique
    left join pg_attribute first on first.attrelid = placed.logicalrelid and first.attnum = key.indkey[0]
    where placed.partmethod = 'h' and first.attname is distinct from placed.column_name
    union all
    select format('%s.%s is an identity or a serial', placed.logicalrelid, col.attname)
    from public.pg_dist_partition placed
    join pg_attribute col on col.attrelid = placed.logicalrelid and col.attnum > 0 and not col.attisdropped
    where placed.partmethod = 'h' and (col.attidentity <> '' or exists (
        select from pg_attrdef fallback
        where fallback.adrelid = col.attrelid and fallback.adnum = col.attnum
            and pg_get_expr(fallback.adbin, fallback.adrelid) like 'nextval(%'
    ))
    union all
    select format('%s.%s is no smallint', placed.logicalrelid, col.attname)
    from public.pg_dist_partition placed
    join pg_attribute col on col.attrelid = placed.logicalrelid and col.attname = placed.column_name
    where placed.partmethod = 'h' and col.atttypid <> 'smallint'::regtype
    union all
    select format(
        'a group has several owners: %s',
        string_agg(format('%s of %s', class.oid::regclass, pg_get_userbyid(class.relowner)), ', ')
    )
    from public.pg_dist_partition placed
    join pg_class class on class.oid = placed.logicalrelid
    where placed.partmethod = 'h'
    group by placed.colocationid
    having count(distinct class.relowner) > 1
    union all
    select format('%s is not run where its shard is', routine.oid::regprocedure)
    from pg_proc routine
    where routine.pronamespace = 'ledger'::regnamespace and 'in_shard' = any (routine.proargnames)
        and not exists (
            select from public.pg_dist_object placed
            where placed.classid = 'pg_proc'::regclass and placed.objid = routine.oid and placed.force_delegation
        )
$$;
