-- Which accounts wait, and since which event?
select account_id, position from read.parked where projection = $1 and version = $2 and shard = $3
