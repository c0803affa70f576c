-- Sets the mode of the database, if it has none yet.
insert into ledger.mode (mode, since) values ($1, $2) on conflict do nothing
