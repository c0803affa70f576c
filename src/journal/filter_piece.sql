-- What is in the nth piece of a sharding's filter?
select bits from ledger.sharding_filters where sharding = $1 and piece = $2
