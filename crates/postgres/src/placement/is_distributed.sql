-- Can tables be distributed over several nodes here?
select to_regproc('create_distributed_table') is not null
