-- Has whoever read a checkpoint read it again: other accounts wait than before, or another pass counts.
update read.checkpoints set parks = parks + 1
where projection = $1 and version = $2 and shard = $3
