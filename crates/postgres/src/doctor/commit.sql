-- How long does a commit take? Writes a message ($1) to the log and to no table.
select pg_logical_emit_message(true, 'counterfoil doctor', $1)::text
