-- May this role change what happened, and is a change refused to whoever may?
select
    current_user::text as role,
    bool_or(has_table_privilege(name::regclass, 'insert, update, delete, truncate')) as may_change,
    (
        select count(*)
        from pg_trigger
        where
            tgrelid in ('ledger.events'::regclass, 'ledger.blocks'::regclass)
            and tgname in ('events_append_only', 'blocks_append_only')
            and tgenabled in ('O', 'A')
    ) as triggers
from unnest(array['ledger.events', 'ledger.blocks', 'ledger.heads']) as name
