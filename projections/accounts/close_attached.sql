-- Sets the rows of a closed account's metadata to closed.
update read.account_metadata_vN set status = 'closed' where shard = $1 and account_id = $2
