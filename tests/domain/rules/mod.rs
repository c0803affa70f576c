//! Does each rule hold as `DOMAIN.md` says?
//! One file a rule: given these events, when a command comes, then this is decided.

mod accounts;
mod allocation;
mod amendments;
mod budgets;
mod charges;
mod debt;
mod discounts;
mod expiry;
mod generations;
mod grace;
mod holds;
mod leaving;
mod limits;
mod metadata;
mod months;
mod moving;
mod packs;
mod payments;
mod plans;
mod refunds;
mod repetitions;
mod reports;
mod revenue;
mod reversals;
mod rollout;
mod rollover;
mod runway;
mod sales;
mod spending;
mod subscriptions;
mod top_ups;
