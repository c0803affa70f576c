-- Takes the turn of a sale to an account for some seconds ($3), unless another sale has it.
insert into ledger.sale_turns as turn (account, token, until)
values ($1, $2, now() + make_interval(secs => $3))
on conflict on constraint sale_turns_key do update
set token = excluded.token, until = excluded.until
where turn.until < now()
