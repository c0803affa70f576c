-- Forgets how far a pass was that is given up.
delete from read.checkpoints where projection = $1 and version = $2
