-- Stores a catalog under its hash.
insert into ledger.catalogs (hash, name, source, loaded_at) values ($1, $2, $3, $4) on conflict (hash) do nothing
