-- Sets an account to closed.
update read.accounts_vN set status = 'closed', position = $2 where account_id = $1
