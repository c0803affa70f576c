-- Takes an account's turn to be sold to for so many seconds ($3), unless somebody has it.
insert into ledger.sale_turns as turn (account, token, until)
values ($1, $2, now() + make_interval(secs => $3))
on conflict on constraint sale_turns_key do update
set token = excluded.token, until = excluded.until
where turn.until < now()
