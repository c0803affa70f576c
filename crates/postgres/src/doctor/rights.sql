-- May this role change what happened, and is a change refused to whoever may?
select
    current_user::text as role,
    -- Also what it would have to become first.
    array(
        select role.rolname::text
        from pg_roles role
        where
            pg_has_role(role.oid, 'member')
            and exists (
                select
                from pg_class class
                where
                    class.oid in (
                        'ledger.events'::regclass, 'ledger.blocks'::regclass, 'ledger.heads'::regclass,
                        'ledger.shardings'::regclass, 'ledger.sharding_filters'::regclass
                    )
                    and (
                        class.relowner = role.oid
                        or has_table_privilege(role.oid, class.oid, 'insert, update, delete, truncate')
                        or has_any_column_privilege(role.oid, class.oid, 'insert, update')
                    )
            )
        order by role.rolname <> current_user, role.rolname
    ) as may_change,
    (
        -- Of 58: before each statement that updates, deletes or truncates.
        select count(*)
        from pg_trigger
        where
            tgrelid in (
                'ledger.events'::regclass, 'ledger.blocks'::regclass, 'ledger.shardings'::regclass,
                'ledger.sharding_filters'::regclass
            )
            and tgname in (
                'events_append_only', 'blocks_append_only', 'shardings_append_only', 'sharding_filters_append_only'
            )
            and tgfoid = to_regprocedure('ledger.refuse_change()')::oid
            and tgtype = 58 and tgattr::text = '' and tgqual is null
            and tgenabled in ('O', 'A')
    ) as triggers,
    (select prosrc from pg_proc where oid = to_regprocedure('ledger.refuse_change()')::oid) as refusal,
    exists (
        select
        from pg_proc refusal
        join pg_class events on events.relowner = refusal.proowner
        where
            refusal.oid = to_regprocedure('ledger.refuse_change()')::oid
            and events.oid = 'ledger.events'::regclass
    ) as is_of_owner,
    current_setting('session_replication_role') as replication_role
