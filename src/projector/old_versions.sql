-- Which versions do readers not see any more?
select distinct version from read.checkpoints where projection = $1 and version < $2 order by 1
