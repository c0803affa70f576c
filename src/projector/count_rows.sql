-- How many rows has one version of a table?
select count(*) from read.TABLE_vN
