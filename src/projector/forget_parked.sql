-- Forgets which accounts wait for a version that is dropped.
delete from read.parked where projection = $1 and version = $2
