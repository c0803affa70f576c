-- Forgets how far a version was that is dropped.
delete from read.checkpoints where projection = $1 and version = $2
