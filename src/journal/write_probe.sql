-- Can anything be written? Writes to a row that nobody reads.
insert into ledger.readiness (at) values ($1) on conflict (one) do update set at = excluded.at
