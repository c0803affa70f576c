-- Shows readers this version of a table.
create or replace view read.TABLE as select * from read.TABLE_vN
