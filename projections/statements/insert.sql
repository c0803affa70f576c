-- Adds lines of statements.
copy read.statements_vN (
    account_id, sequence, line, position, effective_at, recorded_at, kind, amount, available, held, debt,
    grant_ids, description, generation_id, generation_type
) from stdin (format binary)
