-- Which passes has a consumer?
select distinct version from read.checkpoints where projection = $1 order by 1
