-- How is the server set for this session? The numbers count in units.
select name, setting, unit, current_setting(name) as shown from pg_settings where name = any($1)
