-- Which version of the deadlines do readers see?
select live_version from read.projections where projection = 'deadlines'
