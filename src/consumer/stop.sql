-- Notes why nothing is handled any more, unless the checkpoint has moved on ($4) meanwhile.
update read.checkpoints set stopped = $5
where projection = $1 and version = $2 and shard = $3 and position = $4
