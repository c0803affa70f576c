-- Lets a pass that stopped try again.
update read.checkpoints set stopped = null where projection = $1 and version = $2
