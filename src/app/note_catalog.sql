-- Stores since when a catalog is used, unless it was the last one in use.
insert into ledger.catalog_changes (hash, loaded_at)
select $1, $2
where $1 is distinct from (select hash from ledger.catalog_changes order by number desc limit 1)
