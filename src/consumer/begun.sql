-- On which shards has a pass of a consumer a checkpoint?
select shard from read.checkpoints where projection = $1 and version = $2
