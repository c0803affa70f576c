-- How many shards does the journal have?
select count(*) from ledger.heads
