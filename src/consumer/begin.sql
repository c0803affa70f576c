-- Gives a pass of a consumer a checkpoint before the first event of each shard ($3) where it has none.
--
-- Not only `on conflict`, which would wait for whoever is moving the checkpoint.
insert into read.checkpoints (projection, version, shard, position)
select $1, $2, shards.shard, 0
from unnest($3::smallint[]) as shards (shard)
where not exists (
    select from read.checkpoints known
    where known.projection = $1 and known.version = $2 and known.shard = shards.shard
)
on conflict do nothing
