-- Which tables move together, and have several owners?
select string_agg(format('%s of %s', class.oid::regclass, pg_get_userbyid(class.relowner)), ', ' order by class.oid)
from pg_dist_partition placed
join pg_class class on class.oid = placed.logicalrelid
where placed.partmethod = 'h'
group by placed.colocationid
having count(distinct class.relowner) > 1
limit 1
