-- Stores the report of a night's comparison, unless there is one.
insert into ledger.stripe_reconciliations (night, begun_at, ended_at, report) values ($1, $2, $3, $4)
on conflict do nothing
