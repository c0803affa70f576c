-- Gives the tables and views of read models to the service's role, whoever has made them.
call ledger.hand_over_read_models()
