-- Notes that an account is closed beside what is attached to it.
update read.account_metadata_vN set status = 'closed' where account_id = $1
