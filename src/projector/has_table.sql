-- Is there a table of this name?
select to_regclass($1) is not null
