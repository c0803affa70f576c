-- Deletes the deadlines of an account that were handled.
delete from read.deadlines where account_id = $1 and due_at <= $2
