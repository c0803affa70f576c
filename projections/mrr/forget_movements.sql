-- Forgets the movements of these accounts, which are written anew.
delete from read.mrr_movements_vN where account_id = any ($1)
