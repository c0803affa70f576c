//! What does an account hold, and which part of it can be spent?
//!
//! The wallet is a state machine of its own: grants, holds and debt. Only events change it.

mod grant;
mod hold;
mod refunds;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

pub use grant::{AllocationMonth, Grant, GrantTerms, PRIORITY_DEFAULT, Source, burn_order};
pub use hold::{HOLD_DEFAULT, HOLD_MAX, HOLDS_RESOLVED_MAX, Hold, HoldOutcome, Holds};
pub use refunds::{DeductionRefunds, REMEMBERED_REFUNDS_MAX, RecentRefunds};

use super::{
    amount::Credits,
    event::Draw,
    ids::{GrantId, ProviderId},
    time::Timestamp,
};

/// An amount does not fit what the grants hold: the rules did not write this history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imbalance;

/// What a caller sees of the wallet at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Balance {
    /// What a deduction may use.
    pub available: Credits,
    /// What open holds reserve.
    pub held: Credits,
    /// `available + held − debt`. Negative if the debt is larger.
    pub settled: i64,
    /// What is owed because credits were taken back after they had been spent.
    pub debt: Credits,
}

impl Balance {
    #[must_use]
    pub fn new(available: Credits, held: Credits, debt: Credits) -> Self {
        let settled = i128::from(available.get()) + i128::from(held.get()) - i128::from(debt.get());
        Self { available, held, settled: i64::try_from(settled).unwrap_or(i64::MAX), debt }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Grants with credits left or held, in the spending order.
    open: Vec<Grant>,
    /// Grants of which nothing is left, kept for refunds, rollover and clawbacks.
    /// They become ever more, so copies of an account share them.
    settled: OrdMap<GrantId, Grant>,
    pub holds: Holds,
    pub debt: Credits,
    pub refunds: RecentRefunds,
}

/// The part of a grant that credits move from or to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantColumn {
    Remaining,
    Consumed,
    Held,
    Expired,
    Voided,
}

impl Wallet {
    /// The balance at `at`: grants and holds that have ended do not count, even if no event says so yet.
    #[must_use]
    pub fn balance(&self, at: Timestamp) -> Balance {
        let live = self.open.iter().filter(|grant| grant.is_live(at)).map(|grant| grant.remaining);
        let ended = self.holds.expired(at);
        let returned = ended.clone().flat_map(|hold| &hold.draws);
        let returned =
            returned.filter(|draw| self.find(&draw.grant_id).is_some_and(|grant| grant.is_live(at)));
        let available = Credits::checked_sum(live.chain(returned.map(|draw| draw.amount)));
        let available = available.unwrap_or(Credits::MAX);
        let held = ended.fold(self.holds.held(), |held, hold| held.saturating_sub(hold.left()));
        Balance::new(available, held, self.debt)
    }

    /// How many credits could be spent if no payment were disputed.
    #[must_use]
    pub fn frozen(&self, at: Timestamp) -> Credits {
        let frozen = self.open.iter().filter(|grant| grant.frozen_by.is_some() && !grant.has_ended(at));
        Credits::checked_sum(frozen.map(|grant| grant.remaining)).unwrap_or(Credits::MAX)
    }

    /// All grants: the open ones in the spending order, then the others by id.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.open.iter().chain(self.settled.values())
    }

    /// Grants with credits left or held, in the spending order.
    #[must_use]
    pub fn open(&self) -> &[Grant] {
        &self.open
    }

    #[must_use]
    pub fn find(&self, id: &GrantId) -> Option<&Grant> {
        self.open.iter().find(|grant| grant.terms.grant_id == *id).or_else(|| self.settled.get(id))
    }

    /// The grants that a payment bought.
    pub fn bought_by<'a>(&'a self, payment: &'a ProviderId) -> impl Iterator<Item = &'a Grant> {
        self.grants().filter(move |grant| grant.terms.payment.as_ref() == Some(payment))
    }

    /// Which grants would pay `amount` at `at`. `None`: they cannot pay all of it.
    #[must_use]
    pub fn draw(&self, amount: Credits, at: Timestamp) -> Option<Vec<Draw>> {
        let mut wanted = amount;
        let mut draws = Vec::with_capacity(1);
        for grant in self.open.iter().filter(|grant| grant.is_live(at) && !grant.remaining.is_zero()) {
            if wanted.is_zero() {
                break;
            }
            let taken = wanted.min(grant.remaining);
            wanted = wanted.saturating_sub(taken);
            draws.push(Draw { grant_id: grant.terms.grant_id.clone(), amount: taken });
        }
        wanted.is_zero().then_some(draws)
    }

    pub fn add(&mut self, grant: Grant) -> Result<(), Imbalance> {
        if self.find(&grant.terms.grant_id).is_some() {
            return Err(Imbalance);
        }
        self.put(grant);
        Ok(())
    }

    /// Moves credits of one grant from one part to another.
    pub fn shift(
        &mut self,
        id: &GrantId,
        amount: Credits,
        from: GrantColumn,
        to: GrantColumn,
    ) -> Result<(), Imbalance> {
        self.change(id, |grant| {
            let source = part(grant, from);
            *source = source.checked_sub(amount).ok_or(Imbalance)?;
            let target = part(grant, to);
            *target = target.checked_add(amount).ok_or(Imbalance)?;
            Ok(())
        })
    }

    pub fn shift_all(&mut self, draws: &[Draw], from: GrantColumn, to: GrantColumn) -> Result<(), Imbalance> {
        draws.iter().try_for_each(|draw| self.shift(&draw.grant_id, draw.amount, from, to))
    }

    /// Changes one grant, and keeps the grants in their order.
    pub fn change(
        &mut self,
        id: &GrantId,
        change: impl FnOnce(&mut Grant) -> Result<(), Imbalance>,
    ) -> Result<(), Imbalance> {
        if let Some(index) = self.open.iter().position(|grant| grant.terms.grant_id == *id) {
            let grant = self.open.get_mut(index).ok_or(Imbalance)?;
            change(grant)?;
            if grant.is_settled() {
                let grant = self.open.remove(index);
                self.settled.insert(id.clone(), grant);
            }
            return Ok(());
        }
        let mut grant = self.settled.remove(id).ok_or(Imbalance)?;
        change(&mut grant)?;
        self.put(grant);
        Ok(())
    }

    /// Moves the end of a grant, which may change its place in the spending order.
    pub fn move_end(&mut self, id: &GrantId, ends_at: Timestamp) -> Result<(), Imbalance> {
        let moved = |grant: &mut Grant| {
            let lives_on = grant.ends_at().is_some_and(|end| end < ends_at);
            if lives_on && grant.terms.slot.is_some() {
                grant.used_at_end.get_or_insert(grant.used());
            }
            grant.end_moved = Some(ends_at);
        };
        if let Some(index) = self.open.iter().position(|grant| grant.terms.grant_id == *id) {
            let mut grant = self.open.remove(index);
            moved(&mut grant);
            self.put(grant);
            return Ok(());
        }
        self.settled.get_mut(id).map(moved).ok_or(Imbalance)
    }

    fn put(&mut self, grant: Grant) {
        if grant.is_settled() {
            self.settled.insert(grant.terms.grant_id.clone(), grant);
        } else {
            let index = self.open.partition_point(|other| burn_order(other, &grant).is_lt());
            self.open.insert(index, grant);
        }
    }
}

const fn part(grant: &mut Grant, part: GrantColumn) -> &mut Credits {
    match part {
        GrantColumn::Remaining => &mut grant.remaining,
        GrantColumn::Consumed => &mut grant.consumed,
        GrantColumn::Held => &mut grant.held,
        GrantColumn::Expired => &mut grant.expired,
        GrantColumn::Voided => &mut grant.voided,
    }
}
