-- Notes an account's plan beside what is attached to it.
update read.account_metadata_vN set plan = $2 where account_id = $1 and plan <> $2
