-- Notes why an account still waits.
update read.parked set reason = $5
where projection = $1 and version = $2 and shard = $3 and account_id = $4
