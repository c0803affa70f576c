-- What is the database for?
select mode from ledger.mode
