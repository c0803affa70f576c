-- Forgets what time has changed of an account by now.
delete from read.deadlines where account_id = $1 and due_at <= $2
