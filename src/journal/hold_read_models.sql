-- Which versions of read models do readers see? They go on to see these until the transaction ends.
select live_version from read.projections order by projection for share
