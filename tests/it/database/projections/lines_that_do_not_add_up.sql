select count(*)
from (
    select available, amount, lag(available, 1, 0::bigint) over (partition by account_id order by sequence, line) as before
    from read.statements
) lines
where available <> before + amount
