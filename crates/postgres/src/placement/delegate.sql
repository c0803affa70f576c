-- Has a function run on the node of its shard, also inside of a transaction.
select create_distributed_function($1::text::regprocedure, 'in_shard', colocate_with => $2, force_delegation => true)
