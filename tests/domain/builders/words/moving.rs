//! What accounts bring that were kept elsewhere.

use domain::{
    command::{AccountCommand, Command},
    credits::Source,
    moving::{ImportAccount, MonthOf, MovedGrant},
    time::Timestamp,
};

use super::super::catalog::{credits, plan_id};
use super::{grant_id, provider};

/// A grant of which so much is left, and nothing else is known.
pub fn moved(id: &str, source: Source, amount: i64) -> MovedGrant {
    MovedGrant {
        grant_id: grant_id(id),
        source,
        amount: credits(amount),
        cost: None,
        payment: None,
        granted_at: None,
        starts_at: None,
        expires_at: None,
        priority: None,
        reason: None,
        month_of: None,
    }
}

/// What is left of a month of a subscription, until it ends.
pub fn moved_month(subscription: &str, plan: &str, amount: i64, end: Timestamp) -> MovedGrant {
    MovedGrant {
        expires_at: Some(end),
        month_of: Some(MonthOf { subscription: provider(subscription), plan: plan_id(plan) }),
        ..moved("month", Source::Allocation, amount)
    }
}

pub fn import(account: ImportAccount) -> Command {
    Command::Account(AccountCommand::ImportAccount(Box::new(account)))
}
