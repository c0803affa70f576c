-- Which version of a read model do readers see?
select live_version from read.projections where projection = $1
