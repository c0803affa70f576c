-- Is there any event from one position up to another?
select exists (select from ledger.events where shard = $1 and position between $2 and $3)
