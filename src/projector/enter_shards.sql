-- Gives the live version of a read model a checkpoint on each shard ($2) where it has none.
--
-- Not only `on conflict`, which would wait for whoever is moving the checkpoint.
insert into read.checkpoints (projection, version, shard, position)
select live.projection, live_version, shards.shard, 0
from read.projections live
cross join unnest($2::smallint[]) as shards (shard)
where live.projection = $1 and not exists (
    select from read.checkpoints known
    where known.projection = live.projection and known.version = live_version and known.shard = shards.shard
)
on conflict do nothing
