-- The journal only grows, so it is frozen as it grows: by its own share of new rows each time, and not by a fifth of all of
-- it, or all of it at once when its oldest rows have to be.
alter table ledger.events set (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 500000,
    autovacuum_freeze_min_age = 0
);
alter table ledger.blocks set (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 500000,
    autovacuum_freeze_min_age = 0
);
