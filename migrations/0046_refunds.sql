-- What was refunded of a deduction is found here. Accounts remember only their last refunds.
-- Account and deduction are one text, and the condition is another one than that of `events_refunded`, so that no plan
-- goes through all refunds of an account instead, whatever is known of the table.
create index events_refunds on ledger.events (
    shard, (aggregate_id || ' ' || (payload #>> '{CreditsRefunded,deduction_id}'))
) where starts_with(event_type, 'CreditsRefunded');
