//! How much of the money for bought credits is earned, once so many of them are used?
//!
//! The money of a lot is spread over its credits, in the order in which they are used.
//! It is rounded once: `floor(cost × used ÷ amount)` is what was earned or returned so far, so the last credit takes
//! the rest, and nothing of the cost is left over.

use crate::{
    amount::{Credits, Money},
    credits::GrantTerms,
    event::{CreditsEvent, Draw, Event, HoldEvent},
    ids::GrantId,
};

use super::{RevenueKind, share};

/// A grant that was paid for, and what became of its credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditLot {
    pub cost: Money,
    pub amount: i64,
    pub spent: i64,
    pub expired: i64,
    /// Taken by an operator, without any money returned.
    pub taken: i64,
    /// Taken back because their money was returned, and not used before.
    pub refunded: i64,
    /// Used before their money was returned. They are counted as spent or expired, too.
    pub used_and_refunded: i64,
}

/// What became of credits of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotColumn {
    Spent,
    Expired,
    Taken,
    Refunded,
    UsedAndRefunded,
}

/// How many credits of a lot became something. Negative: they no longer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotChange<'a> {
    pub grant_id: &'a GrantId,
    pub column: LotColumn,
    pub credits: i64,
}

impl CreditLot {
    /// The lot that a grant makes. `None`: it was free, or belongs to a subscription, whose money is earned with time.
    #[must_use]
    pub fn of(grant: &GrantTerms) -> Option<Self> {
        let cost = grant.cost.clone().filter(|cost| cost.minor > 0 && grant.slot.is_none())?;
        let amount = grant.amount.get();
        Some(Self { cost, amount, spent: 0, expired: 0, taken: 0, refunded: 0, used_and_refunded: 0 })
    }

    /// How many credits are still there, held ones included.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.amount.saturating_sub(self.used())
    }

    /// The money for what is still there.
    #[must_use]
    pub fn deferred(&self) -> i64 {
        self.cost.minor.saturating_sub(self.money_of(self.used()))
    }

    /// Notes what became of some credits, and returns what that does to the money.
    pub fn change(&mut self, column: LotColumn, credits: i64) -> (RevenueKind, i64) {
        if column == LotColumn::UsedAndRefunded {
            let before = self.money_of(self.used_and_refunded);
            self.used_and_refunded = self.used_and_refunded.saturating_add(credits);
            return (RevenueKind::Contra, self.money_of(self.used_and_refunded).saturating_sub(before));
        }
        let before = self.money_of(self.used());
        let (kind, sum) = match column {
            LotColumn::Spent => (RevenueKind::Recognised, &mut self.spent),
            LotColumn::Expired => (RevenueKind::Breakage, &mut self.expired),
            LotColumn::Taken => (RevenueKind::Breakage, &mut self.taken),
            LotColumn::Refunded => (RevenueKind::Refunded, &mut self.refunded),
            LotColumn::UsedAndRefunded => (RevenueKind::Contra, &mut self.used_and_refunded),
        };
        *sum = sum.saturating_add(credits);
        (kind, self.money_of(self.used()).saturating_sub(before))
    }

    /// Whether no more became of it than was bought.
    #[must_use]
    pub const fn is_conserved(&self) -> bool {
        self.spent >= 0
            && self.expired >= 0
            && self.taken >= 0
            && self.refunded >= 0
            && self.used_and_refunded >= 0
            && self.used() <= self.amount
    }

    const fn used(&self) -> i64 {
        self.spent.saturating_add(self.expired).saturating_add(self.taken).saturating_add(self.refunded)
    }

    fn money_of(&self, credits: i64) -> i64 {
        share(self.cost.minor, i128::from(credits.clamp(0, self.amount)), i128::from(self.amount))
    }
}

/// What an event does to credits of grants, in order. Lots are those of them that were paid for.
#[must_use]
pub fn lot_changes(event: &Event) -> Vec<LotChange<'_>> {
    match event {
        Event::Credits(event) => changes_of_credits(event),
        Event::Hold(HoldEvent::HoldCommitted { draws, .. } | HoldEvent::HoldSpent { draws, .. }) => {
            of_draws(draws, LotColumn::Spent, 1)
        }
        Event::Hold(
            HoldEvent::CreditsHeld { .. }
            | HoldEvent::HoldExtended { .. }
            | HoldEvent::HoldToppedUp { .. }
            | HoldEvent::HoldReduced { .. }
            | HoldEvent::HoldReleased { .. }
            | HoldEvent::HoldExpired { .. },
        )
        | Event::Account(_)
        | Event::Invoice(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Payment(_)
        | Event::Checkout(_) => Vec::new(),
    }
}

fn changes_of_credits(event: &CreditsEvent) -> Vec<LotChange<'_>> {
    match event {
        CreditsEvent::CreditsDeducted { draws, .. } => of_draws(draws, LotColumn::Spent, 1),
        CreditsEvent::CreditsRefunded { returns, .. } => of_draws(returns, LotColumn::Spent, -1),
        CreditsEvent::CreditsAdjusted { draws, .. } => of_draws(draws, LotColumn::Taken, 1),
        CreditsEvent::CreditsExpired { grant_id, amount, .. } => {
            vec![LotChange { grant_id, column: LotColumn::Expired, credits: amount.get() }]
        }
        CreditsEvent::GrantEndMoved { grant_id, revived, .. } => {
            vec![LotChange { grant_id, column: LotColumn::Expired, credits: revived.get().saturating_neg() }]
        }
        CreditsEvent::DebtPaid { grant_id, amount, .. } => {
            vec![LotChange { grant_id, column: LotColumn::Spent, credits: amount.get() }]
        }
        CreditsEvent::CreditsClawedBack { grant_id, voided, expired, owed, forgiven, .. } => {
            let used = sum([*expired, *owed, *forgiven]);
            vec![
                LotChange { grant_id, column: LotColumn::Refunded, credits: voided.get() },
                LotChange { grant_id, column: LotColumn::UsedAndRefunded, credits: used },
            ]
        }
        CreditsEvent::CreditsRestored { grant_id, restored, expired, unowed, repaid, unforgiven, .. } => {
            let used = sum([*expired, *unowed, *repaid, *unforgiven]);
            vec![
                LotChange { grant_id, column: LotColumn::Refunded, credits: restored.get().saturating_neg() },
                LotChange { grant_id, column: LotColumn::UsedAndRefunded, credits: used.saturating_neg() },
            ]
        }
        CreditsEvent::CreditsGranted { .. }
        | CreditsEvent::GrantFrozen { .. }
        | CreditsEvent::GrantUnfrozen { .. }
        | CreditsEvent::DebtForgiven { .. } => Vec::new(),
    }
}

fn of_draws(draws: &[Draw], column: LotColumn, sign: i64) -> Vec<LotChange<'_>> {
    let change = |draw: &'_ Draw| draw.amount.get().saturating_mul(sign);
    draws.iter().map(|draw| LotChange { grant_id: &draw.grant_id, column, credits: change(draw) }).collect()
}

fn sum(amounts: impl IntoIterator<Item = Credits>) -> i64 {
    amounts.into_iter().fold(0, |sum, amount| sum.saturating_add(amount.get()))
}
