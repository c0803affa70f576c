-- Says that an instance is not there any more.
delete from ledger.instances where id = $1
