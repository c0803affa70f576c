-- Deletes the movements of an account, which are then written again.
delete from read.mrr_movements_vN where shard = $1 and account_id = $2
