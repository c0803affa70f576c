//! What is held, until when, and how did it end?

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::{
    amount::Credits,
    event::{Draw, Purpose},
    ids::HoldId,
    limits::{self, UsageWindow},
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
    /// All that was held so far: when it was opened, and by each top-up.
    pub amount: Credits,
    /// How much of it was spent in parts.
    pub spent: Credits,
    /// How much of it was returned in parts.
    pub returned: Credits,
    /// Whether more was added after it was opened.
    pub is_topped_up: bool,
    /// What is left, by grant, in the order in which it is spent.
    pub draws: Vec<Draw>,
    pub purpose: Purpose,
    /// Where what is left counts, the oldest first.
    pub windows: Vec<UsageWindow>,
    pub held_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Hold {
    /// What is held now.
    #[must_use]
    pub const fn left(&self) -> Credits {
        self.amount.saturating_sub(self.spent).saturating_sub(self.returned)
    }

    /// Whether nothing was spent, added or returned since it was opened.
    #[must_use]
    pub const fn is_as_opened(&self) -> bool {
        self.spent.is_zero() && self.returned.is_zero() && !self.is_topped_up
    }

    /// Takes out what was spent or returned.
    fn take(&mut self, draws: &[Draw], windows: &[UsageWindow]) -> Result<(), Imbalance> {
        for draw in draws {
            let held = self.draws.iter_mut().find(|held| held.grant_id == draw.grant_id).ok_or(Imbalance)?;
            held.amount = held.amount.checked_sub(draw.amount).ok_or(Imbalance)?;
        }
        self.draws.retain(|held| !held.amount.is_zero());
        limits::take_out(&mut self.windows, windows);
        Ok(())
    }

    /// Adds what was held in addition. What comes from a grant that is held from already has its place.
    fn add(&mut self, draws: &[Draw], windows: &[UsageWindow]) -> Result<(), Imbalance> {
        for draw in draws {
            match self.draws.iter_mut().find(|held| held.grant_id == draw.grant_id) {
                Some(held) => held.amount = held.amount.checked_add(draw.amount).ok_or(Imbalance)?,
                None => self.draws.push(draw.clone()),
            }
        }
        limits::put_in(&mut self.windows, windows);
        Ok(())
    }
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
    /// There can be thousands, so copies of an account share them.
    open: OrdMap<HoldId, Arc<Hold>>,
    by_expiry: OrdSet<(Timestamp, HoldId)>,
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
        self.open.values().map(Arc::as_ref)
    }

    #[must_use]
    pub fn find(&self, id: &HoldId) -> Option<&Arc<Hold>> {
        self.open.get(id)
    }

    #[must_use]
    pub fn outcome(&self, id: &HoldId) -> Option<HoldOutcome> {
        self.resolved.get(id).copied()
    }

    /// The open hold that ends first.
    #[must_use]
    pub fn next_to_expire(&self) -> Option<(Timestamp, &Hold)> {
        let (at, id) = self.by_expiry.get_min()?;
        self.open.get(id).map(|hold| (*at, hold.as_ref()))
    }

    /// The open holds that ended by `at` and have no event of their end yet.
    pub fn expired(&self, at: Timestamp) -> impl Iterator<Item = &Hold> + Clone {
        let ended = self.by_expiry.iter().take_while(move |(expires_at, _)| *expires_at <= at);
        ended.filter_map(|(_, id)| self.open.get(id).map(Arc::as_ref))
    }

    pub fn insert(&mut self, hold: Hold) -> Result<(), Imbalance> {
        self.held = self.held.checked_add(hold.amount).ok_or(Imbalance)?;
        self.by_expiry.insert((hold.expires_at, hold.hold_id.clone()));
        match self.open.insert(hold.hold_id.clone(), Arc::new(hold)) {
            None => Ok(()),
            Some(_) => Err(Imbalance),
        }
    }

    pub fn extend(&mut self, id: &HoldId, expires_at: Timestamp) -> Result<(), Imbalance> {
        let hold = Arc::make_mut(self.open.get_mut(id).ok_or(Imbalance)?);
        if hold.expires_at != expires_at {
            self.by_expiry.remove(&(hold.expires_at, id.clone()));
            self.by_expiry.insert((expires_at, id.clone()));
            hold.expires_at = expires_at;
        }
        Ok(())
    }

    /// Spends a part of a hold, which stays open.
    pub fn spend(
        &mut self,
        id: &HoldId,
        amount: Credits,
        draws: &[Draw],
        windows: &[UsageWindow],
    ) -> Result<(), Imbalance> {
        self.held = self.held.checked_sub(amount).ok_or(Imbalance)?;
        let hold = Arc::make_mut(self.open.get_mut(id).ok_or(Imbalance)?);
        hold.spent = hold.spent.checked_add(amount).ok_or(Imbalance)?;
        hold.take(draws, windows)
    }

    /// Returns a part of a hold, which stays open.
    pub fn reduce(
        &mut self,
        id: &HoldId,
        amount: Credits,
        returns: &[Draw],
        windows: &[UsageWindow],
    ) -> Result<(), Imbalance> {
        self.held = self.held.checked_sub(amount).ok_or(Imbalance)?;
        let hold = Arc::make_mut(self.open.get_mut(id).ok_or(Imbalance)?);
        hold.returned = hold.returned.checked_add(amount).ok_or(Imbalance)?;
        hold.take(returns, windows)
    }

    /// Adds credits to a hold.
    pub fn top_up(
        &mut self,
        id: &HoldId,
        amount: Credits,
        draws: &[Draw],
        windows: &[UsageWindow],
    ) -> Result<(), Imbalance> {
        self.held = self.held.checked_add(amount).ok_or(Imbalance)?;
        let hold = Arc::make_mut(self.open.get_mut(id).ok_or(Imbalance)?);
        hold.amount = hold.amount.checked_add(amount).ok_or(Imbalance)?;
        hold.is_topped_up = true;
        hold.add(draws, windows)
    }

    /// Ends a hold. A hold that has ended cannot end again.
    pub fn resolve(&mut self, id: &HoldId, outcome: HoldOutcome) -> Result<Arc<Hold>, Imbalance> {
        let hold = self.open.remove(id).ok_or(Imbalance)?;
        self.by_expiry.remove(&(hold.expires_at, id.clone()));
        self.held = self.held.checked_sub(hold.left()).ok_or(Imbalance)?;
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
