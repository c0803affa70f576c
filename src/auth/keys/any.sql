-- Is there any key?
select exists (select from ledger.api_keys)
