-- Which lines of an account come before one of them, the newest first?
select
    sequence, line, position, effective_at, recorded_at, kind, amount, available, held, debt, grant_ids, description,
    generation_id, generation_type
from read.statements
where account_id = $1
    and (cardinality($2::text[]) = 0 or kind = any ($2))
    and ($3::timestamptz is null or effective_at >= $3)
    and ($4::timestamptz is null or effective_at < $4)
    and ($5::text is null or generation_id = $5)
    and ($6::text is null or generation_type = $6)
    and (sequence, line) < ($7, $8)
order by sequence desc, line desc
limit $9
