-- May this role log in, with these limits?
select rolcanlogin and coalesce(rolconfig, '{}') @> $2::text[] from pg_roles where rolname = $1
