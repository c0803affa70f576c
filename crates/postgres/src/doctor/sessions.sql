-- Who uses the server, and who holds back what it could clean up? A hidden session only shows its login and database.
with sessions as (
    select
        pid,
        xact_start,
        backend_type is null as is_hidden,
        coalesce(application_name = 'counterfoil', false) as is_ours,
        usesysid = to_regrole(quote_ident(session_user))::oid as is_of_login,
        datid = (select oid from pg_database where datname = current_database()) as is_of_database
    from pg_stat_get_activity(null)
    where
        backend_type = 'client backend'
        or (backend_type is null and datid is not null and usesysid is not null)
)
select
    current_setting('max_connections')::bigint as most,
    current_setting('superuser_reserved_connections')::bigint as reserved,
    -- Neither limit is one for superusers.
    (
        select rolconnlimit from pg_roles where rolname = session_user and rolconnlimit >= 0 and not rolsuper
    )::bigint as of_login,
    (
        select datconnlimit
        from pg_database
        where
            datname = current_database() and datconnlimit >= 0
            and not (select rolsuper from pg_roles where rolname = session_user)
    )::bigint as of_database,
    count(*) as clients,
    count(*) filter (where is_hidden) as hidden,
    count(*) filter (where not is_ours) as others,
    count(*) filter (where not is_ours and is_of_login) as others_of_login,
    count(*) filter (where not is_ours and is_of_database) as others_of_database,
    coalesce(
        extract(epoch from clock_timestamp() - least(
            min(xact_start) filter (where pid <> pg_backend_pid()),
            (select min(prepared) from pg_prepared_xact())
        )),
        0
    )::bigint as oldest_s
from sessions
