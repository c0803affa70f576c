-- Lets every node ask for a table that is on one.
select citus_add_local_table_to_metadata($1::text::regclass)
