-- Which version of a read model do readers see? They go on to see it until the transaction ends.
select live_version from read.projections where projection = $1 for update
