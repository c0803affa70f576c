-- Customers that are becoming an account's: a command that says so is on its way, or Stripe was asked to make one for it. Until
-- the link is there, this keeps another account from becoming the same customer's.
create table ledger.stripe_links_begun (
    customer text not null,
    account text not null,
    -- How many commands are on their way. One whose outcome nobody knows stays counted.
    commands integer not null,
    -- When the last of them began, by the database's clock, which all instances share. What is older than a command can take may
    -- be another account's, once the ledger was asked; `infinity`: it was made for this account.
    since timestamptz not null,
    constraint stripe_links_begun_customer primary key (customer)
);
