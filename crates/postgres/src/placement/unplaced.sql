-- Which tables are on no nodes yet? As the program names them.
select case when space.nspname in ('ledger', 'read') then space.nspname || '.' || class.relname else class.relname end
from pg_class class
join pg_namespace space on space.oid = class.relnamespace
where class.relkind in ('r', 'p')
    and (space.nspname in ('ledger', 'read') or class.oid = to_regclass('_sqlx_migrations'))
    and class.oid not in (select logicalrelid from pg_dist_partition)
order by 1
