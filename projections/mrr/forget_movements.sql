delete from read.mrr_movements_vN where account_id = any ($1)
