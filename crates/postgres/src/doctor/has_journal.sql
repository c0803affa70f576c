-- Is there a journal?
select to_regclass('ledger.events') is not null and to_regclass('ledger.heads') is not null
