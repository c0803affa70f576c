-- Counts that other accounts wait than before, or that another version is live.
update read.checkpoints set parks = parks + 1
where projection = $1 and version = $2 and shard = $3
