-- Sets the plan in the rows of an account's metadata.
update read.account_metadata_vN set plan = $2 where account_id = $1 and plan <> $2
