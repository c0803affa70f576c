//! What is held, until when, and how did it end?

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    amount::Credits,
    event::{Draw, Purpose},
    ids::HoldId,
    limits::UsageWindow,
    time::Timestamp,
};

use super::Imbalance;

/// How long a hold lives if its command does not say.
pub const HOLD_DEFAULT: TimeDelta = TimeDelta::minutes(15);
/// The longest life of a hold, extensions included.
pub const HOLD_MAX: TimeDelta = TimeDelta::hours(24);
/// How many outcomes of past holds an account remembers. The oldest are forgotten first.
pub const HOLDS_RESOLVED_MAX: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub hold_id: HoldId,
    pub amount: Credits,
    pub draws: Vec<Draw>,
    pub purpose: Purpose,
    pub windows: Vec<UsageWindow>,
    pub held_at: Timestamp,
    pub expires_at: Timestamp,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum HoldOutcome {
    Committed { amount: Credits },
    Released,
    Expired,
}

/// The holds of an account. Each is opened once and ends once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    open: BTreeMap<HoldId, Hold>,
    by_expiry: BTreeSet<(Timestamp, HoldId)>,
    held: Credits,
    resolved: BTreeMap<HoldId, HoldOutcome>,
    /// The ids of `resolved`, oldest first.
    resolved_order: std::collections::VecDeque<HoldId>,
}

impl Holds {
    #[must_use]
    pub const fn held(&self) -> Credits {
        self.held
    }

    pub fn open(&self) -> impl Iterator<Item = &Hold> {
        self.open.values()
    }

    #[must_use]
    pub fn find(&self, id: &HoldId) -> Option<&Hold> {
        self.open.get(id)
    }

    #[must_use]
    pub fn outcome(&self, id: &HoldId) -> Option<HoldOutcome> {
        self.resolved.get(id).copied()
    }

    /// The open hold that ends first.
    #[must_use]
    pub fn next_to_expire(&self) -> Option<(Timestamp, &Hold)> {
        let (at, id) = self.by_expiry.first()?;
        self.open.get(id).map(|hold| (*at, hold))
    }

    /// The open holds that ended by `at` and have no event of their end yet.
    pub fn expired(&self, at: Timestamp) -> impl Iterator<Item = &Hold> + Clone {
        let ended = self.by_expiry.iter().take_while(move |(expires_at, _)| *expires_at <= at);
        ended.filter_map(|(_, id)| self.open.get(id))
    }

    pub fn insert(&mut self, hold: Hold) -> Result<(), Imbalance> {
        self.held = self.held.checked_add(hold.amount).ok_or(Imbalance)?;
        self.by_expiry.insert((hold.expires_at, hold.hold_id.clone()));
        match self.open.insert(hold.hold_id.clone(), hold) {
            None => Ok(()),
            Some(_) => Err(Imbalance),
        }
    }

    pub fn extend(&mut self, id: &HoldId, expires_at: Timestamp) -> Result<(), Imbalance> {
        let hold = self.open.get_mut(id).ok_or(Imbalance)?;
        self.by_expiry.remove(&(hold.expires_at, id.clone()));
        self.by_expiry.insert((expires_at, id.clone()));
        hold.expires_at = expires_at;
        Ok(())
    }

    /// Ends a hold. A hold that has ended cannot end again.
    pub fn resolve(&mut self, id: &HoldId, outcome: HoldOutcome) -> Result<Hold, Imbalance> {
        let hold = self.open.remove(id).ok_or(Imbalance)?;
        self.by_expiry.remove(&(hold.expires_at, id.clone()));
        self.held = self.held.checked_sub(hold.amount).ok_or(Imbalance)?;
        self.resolved.insert(id.clone(), outcome);
        self.resolved_order.push_back(id.clone());
        if self.resolved_order.len() > HOLDS_RESOLVED_MAX
            && let Some(oldest) = self.resolved_order.pop_front()
        {
            self.resolved.remove(&oldest);
        }
        Ok(hold)
    }
}
