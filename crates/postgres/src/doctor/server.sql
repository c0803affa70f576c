-- Which server is this, and how is its database made?
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::integer / 10000 as major,
    pg_encoding_to_char(encoding)::text as encoding,
    current_setting('data_checksums') as checksums,
    pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as is_read_only,
    current_setting('wal_level') as wal_level,
    current_setting('archive_mode') as archive_mode,
    greatest(age(datfrozenxid), mxid_age(datminmxid)) as unfrozen,
    current_setting('autovacuum') as autovacuum,
    pg_database_size(oid) as bytes
from pg_database
where datname = current_database()
