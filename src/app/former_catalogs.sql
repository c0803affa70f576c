-- Which catalogs were used before this one ($1), the last one first?
select hash, source
from ledger.catalogs
join (select hash, max(number) as number from ledger.catalog_changes group by hash) as change using (hash)
where hash <> $1
order by number desc
limit $2
