-- How much of the log does each replication slot keep on disk?
select
    slot_name::text as name,
    active as is_active,
    coalesce(
        pg_wal_lsn_diff(
            case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn
        ),
        0
    )::bigint as bytes
from pg_replication_slots
order by bytes desc
