-- Sets the plan in the rows of an account's metadata.
update read.account_metadata_vN set plan = $3 where shard = $1 and account_id = $2 and plan <> $3
