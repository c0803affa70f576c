-- Which functions work in one shard, and are not yet run on its node?
select routine.oid::regprocedure::text
from pg_proc routine
where routine.pronamespace = 'ledger'::regnamespace and 'in_shard' = any (routine.proargnames)
    and not exists (
        select from pg_dist_object placed
        where placed.classid = 'pg_proc'::regclass and placed.objid = routine.oid
            and placed.distribution_argument_index is not null
    )
order by 1
