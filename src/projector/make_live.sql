-- Notes which version of a read model readers see.
update read.projections set live_version = $2 where projection = $1
