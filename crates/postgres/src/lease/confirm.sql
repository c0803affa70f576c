-- Does a process ($2) still have a lease ($1)? If so, nobody else gets it until the transaction ends.
select name from read.leases where name = $1 and holder = $2 for update
