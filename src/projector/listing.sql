-- How does each version of each read model stand, on each shard?
select projection, version, shard, position, stopped, live_version
from read.checkpoints
join read.projections using (projection)
order by projection, version, shard
