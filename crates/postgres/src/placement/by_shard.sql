-- Distributes the first table of a group by shard, into so many parts ($2), or one for each shard if there are more.
select create_distributed_table(
    $1::text::regclass, 'shard', colocate_with => 'none',
    shard_count => greatest($2, (select count(*) from ledger.heads)::integer)
)
