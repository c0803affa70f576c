-- Who uses the server, and who holds back what it could clean up? Sessions of other logins may be hidden.
select
    current_setting('max_connections')::bigint as most,
    current_setting('superuser_reserved_connections')::bigint as reserved,
    count(*) filter (where backend_type = 'client backend') as clients,
    count(*) filter (where backend_type = 'client backend' and application_name = 'counterfoil') as ours,
    coalesce(
        extract(epoch from clock_timestamp() - least(
            min(xact_start) filter (where backend_type = 'client backend' and pid <> pg_backend_pid()),
            (select min(prepared) from pg_prepared_xact())
        )),
        0
    )::bigint as oldest_s
from pg_stat_get_activity(null)
