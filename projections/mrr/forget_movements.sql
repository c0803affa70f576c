-- Deletes the movements of an account, which are then written again, and says what they were.
delete from read.mrr_movements_vN where shard = $1 and account_id = $2
returning currency, day, kind, before, after
