-- Which versions did a rebuild leave unfinished?
select distinct version from read.checkpoints where projection = $1 and version > $2
