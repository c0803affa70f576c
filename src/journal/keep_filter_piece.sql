-- Keeps a piece of a sharding's filter.
insert into ledger.sharding_filters (sharding, piece, bits) values ($1, $2, $3)
