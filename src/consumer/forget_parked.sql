-- Forgets which accounts wait in a pass that is given up.
delete from read.parked where projection = $1 and version = $2
