-- Drops one version of a table.
drop table if exists read.TABLE_vN
