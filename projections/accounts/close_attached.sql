-- Sets the rows of a closed account's metadata to closed.
update read.account_metadata_vN set status = 'closed' where account_id = $1
