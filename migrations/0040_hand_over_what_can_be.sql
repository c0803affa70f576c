-- The program hands over what it makes for a read model, also when it works as another login than the service's role. A
-- login that cannot give a table to the role keeps it.
create or replace procedure ledger.hand_over_read_models()
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
        and pg_has_role(class.relowner, 'usage') and pg_has_role('counterfoil_service', 'usage')
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
