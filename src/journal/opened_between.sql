-- Which accounts were opened after one position of a shard and up to another?
select aggregate_id from ledger.events where shard = $1 and position > $2 and position <= $3 and sequence = 1
