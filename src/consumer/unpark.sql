-- Lets an account wait no longer.
delete from read.parked where projection = $1 and version = $2 and shard = $3 and account_id = $4
