-- Enters a read model that is new, with its first version. Does nothing for one that is known.
insert into read.projections (projection, live_version) values ($1, $2) on conflict do nothing
