-- Lets other processes lead at once what this one ($2) does, of these leases ($1).
delete from read.leases where name = any($1) and holder = $2
