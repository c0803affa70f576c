-- Moves a checkpoint on, if it still is where it was read ($4, $5).
update read.checkpoints set position = $6, stopped = null
where projection = $1 and version = $2 and shard = $3 and position = $4 and parks = $5
