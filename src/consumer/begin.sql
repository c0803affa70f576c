-- Gives a pass of a consumer a checkpoint before the first event of each of these shards ($3).
insert into read.checkpoints (projection, version, shard, position)
select $1, $2, shard, 0
from unnest($3::smallint[]) as shards (shard)
on conflict do nothing
