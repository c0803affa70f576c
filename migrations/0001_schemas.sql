-- What happened. Rows are only ever added here.
create schema ledger;

-- What can be asked. Everything in it is computed from `ledger`, and can be dropped and computed again.
create schema read;
