-- How does each version of each read model stand, on each shard?
select projection, version, shard, checkpoint.position, stopped, live_version, head.position as head
from read.checkpoints checkpoint
join read.projections using (projection)
join ledger.heads head using (shard)
order by projection, version, shard
