-- Where does a shard's order end? It stays there until the transaction ends.
select ledger.lock_head($1)
