-- How many shardings are there now?
select coalesce(max(shardings), 1::smallint) from ledger.heads
