-- How do other connections see the same moment?
select pg_export_snapshot()
