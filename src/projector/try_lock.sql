-- Does nobody else have the lock of this name? It is held until the session ends.
select pg_try_advisory_lock(hashtextextended($1, 0))
