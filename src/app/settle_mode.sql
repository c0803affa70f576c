-- Sets what the database is for, if it is for nothing yet.
insert into ledger.mode (mode, since) values ($1, $2) on conflict do nothing
