-- Where does the program look for its migrations, and may it apply them?
select
    current_schema()::text as schema,
    current_setting('search_path') as search_path,
    to_regclass(quote_ident(current_schema()) || '._sqlx_migrations') is not null as is_migrated,
    to_regnamespace('ledger') is not null as has_ledger,
    (
        select string_agg(relnamespace::regnamespace::text, ', ')
        from pg_class
        where relname = '_sqlx_migrations' and relkind = 'r'
    ) as schemas,
    coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_make_tables,
    has_database_privilege(current_database(), 'create') as may_make_schemas,
    coalesce(
        (
            -- Before PostgreSQL 16, whoever makes roles may also give them.
            select
                pg_has_role(service.oid, 'usage') or pg_has_role(service.oid, 'usage with admin option')
                or (login.rolcreaterole and current_setting('server_version_num')::integer < 160000)
            from pg_roles service
            where service.rolname = $1
        ),
        login.rolcreaterole or login.rolsuper
    ) as may_have_role
from pg_roles login
where login.rolname = current_user
