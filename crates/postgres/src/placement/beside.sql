-- Distributes a table by shard, beside another one.
select create_distributed_table($1::text::regclass, 'shard', colocate_with => $2)
