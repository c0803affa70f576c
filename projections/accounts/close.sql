-- Sets an account to closed.
update read.accounts_vN set status = 'closed', position = $3 where shard = $1 and account_id = $2
