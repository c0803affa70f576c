-- Deletes the movements of these accounts, which are then written again.
delete from read.mrr_movements_vN where account_id = any ($1)
