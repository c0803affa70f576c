-- On which shard does an account wait?
select shard from read.parked where projection = $1 and version = $2 and account_id = $3
