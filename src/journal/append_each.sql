-- Appends a block to each of several shards, if each of them ends where its batch was decided (see append.sql): all of
-- them or none. Returns the new last positions.
select array[CALLS]
