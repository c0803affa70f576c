update read.account_metadata_vN set status = 'closed' where account_id = $1
