-- Deletes the days of a shard that have no movements of a kind any more.
delete from read.mrr_days_vN where shard = $1 and count = 0
