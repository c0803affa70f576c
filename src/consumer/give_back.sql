-- Lets another process lead a consumer ($1) at once, if this one ($2) does.
delete from read.leases where name = $1 and holder = $2
