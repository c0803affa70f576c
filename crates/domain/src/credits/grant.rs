//! Where do credits come from, and what was done with them?

use std::{cmp::Ordering, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Imbalance;
use crate::{
    amount::{Credits, Money},
    ids::{GrantId, PlanId, ProviderId},
    time::{Period, Timestamp},
};

/// The priority of a grant that names none. 0 is spent first.
pub const PRIORITY_DEFAULT: u8 = 50;

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A plan's credits for one period.
    Allocation,
    /// The unused part of an allocation, in the next period.
    Rollover,
    /// A free plan's one-time credits.
    Signup,
    /// Bought by the pack or by the credit.
    TopUp,
    Bonus,
    /// Credits of a refund whose grant had ended in the meantime.
    Refund,
    /// Given by an operator.
    Adjustment,
}

/// What a grant is. What happened to it is in [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GrantTerms {
    pub grant_id: GrantId,
    pub source: Source,
    pub amount: Credits,
    pub starts_at: Timestamp,
    /// The first instant at which it can no longer be spent. `None`: never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// 0 is spent first.
    pub priority: u8,
    /// What was paid for the whole grant. `None`: it was free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The payment that bought it: a refund or dispute of that payment takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<ProviderId>,
    /// The subscription's period that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<AllocationMonth>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The month of a subscription that a grant belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AllocationMonth {
    pub subscription: ProviderId,
    pub plan: PlanId,
    pub period: Period,
    /// The plan's full allocation for the month.
    pub allocation: Credits,
    /// The most that may roll over into this month. `None` for all but the grant that opens the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_max: Option<Credits>,
    /// For a rollover: the grant whose unused part it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<GrantId>,
    /// The end of the month that was paid for, if that was over before the payment. `None`: `period` is that month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_month_end: Option<Timestamp>,
}

impl AllocationMonth {
    /// The end of the month that was paid for, which identifies the month.
    #[must_use]
    pub fn month_end(&self) -> Timestamp {
        self.paid_month_end.unwrap_or(self.period.end)
    }
}

/// A lot of credits. Always: `granted = consumed + held + expired + voided + remaining`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Shared by copies of an account, since it never changes.
    #[serde(flatten)]
    pub terms: Arc<GrantTerms>,
    pub granted_at: Timestamp,
    pub consumed: Credits,
    pub held: Credits,
    pub expired: Credits,
    pub voided: Credits,
    pub remaining: Credits,
    /// How many credits were clawed back so far, including those that became debt.
    pub clawed_back: Credits,
    /// The part of `clawed_back` that had been spent, and became debt or was forgiven.
    #[serde(default)]
    pub clawed_back_spent: Credits,
    /// The part of `clawed_back_spent` that became debt.
    #[serde(default)]
    pub clawed_back_owed: Credits,
    /// The part of `clawed_back` that had expired.
    #[serde(default)]
    pub clawed_back_expired: Credits,
    /// The dispute that freezes what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_by: Option<ProviderId>,
    /// When it ends, if that differs from its terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_moved: Option<Timestamp>,
    /// How much of it was used by the end that its terms say, if it lives longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at_end: Option<Credits>,
}

impl Grant {
    #[must_use]
    pub fn new(terms: GrantTerms, granted_at: Timestamp) -> Self {
        Self {
            granted_at,
            consumed: Credits::ZERO,
            held: Credits::ZERO,
            expired: Credits::ZERO,
            voided: Credits::ZERO,
            remaining: terms.amount,
            clawed_back: Credits::ZERO,
            clawed_back_spent: Credits::ZERO,
            clawed_back_owed: Credits::ZERO,
            clawed_back_expired: Credits::ZERO,
            frozen_by: None,
            end_moved: None,
            used_at_end: None,
            terms: Arc::new(terms),
        }
    }

    /// Whether its remaining credits can be spent at `at`.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.terms.starts_at <= at && !self.has_ended(at) && self.frozen_by.is_none()
    }

    #[must_use]
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= at)
    }

    /// The first instant at which it can no longer be spent, by all that is known now. `None`: never expires.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.end_moved.or(self.terms.expires_at)
    }

    /// How much was spent or is held.
    #[must_use]
    pub fn used(&self) -> Credits {
        self.consumed.checked_add(self.held).unwrap_or(Credits::MAX)
    }

    /// How much of it was used after the end that its terms say.
    #[must_use]
    pub fn used_after_end(&self) -> Credits {
        self.used_at_end.map_or(Credits::ZERO, |used| self.used().saturating_sub(used))
    }

    /// Whether nothing is left to spend, unless something is returned to it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.remaining.is_zero() && self.held.is_zero()
    }

    /// How much rolled over and counts as rollover: what was granted, less what was taken back because less was due.
    #[must_use]
    pub fn carried(&self) -> Credits {
        self.terms.amount.saturating_sub(self.voided.saturating_sub(self.clawed_back_left()))
    }

    /// What nobody used: what is left now, or was left at the end.
    #[must_use]
    pub fn unused(&self) -> Credits {
        self.remaining.checked_add(self.expired).unwrap_or(Credits::MAX)
    }

    /// Records a clawback: how much was left, had expired, and was spent, and how much of the last is owed.
    pub(crate) fn note_claw_back(
        &mut self,
        voided: Credits,
        expired: Credits,
        spent: Credits,
        owed: Credits,
    ) -> Result<(), Imbalance> {
        let add = |sum: Credits, amounts: &[Credits]| {
            let amounts = amounts.iter().copied().chain([sum]);
            Credits::checked_sum(amounts).ok_or(Imbalance)
        };
        self.clawed_back = add(self.clawed_back, &[voided, expired, spent])?;
        self.clawed_back_expired = add(self.clawed_back_expired, &[expired])?;
        self.clawed_back_spent = add(self.clawed_back_spent, &[spent])?;
        self.clawed_back_owed = add(self.clawed_back_owed, &[owed])?;
        Ok(())
    }

    /// Undoes a clawback that [`Self::note_claw_back`] recorded.
    pub(crate) fn note_restored(
        &mut self,
        restored: Credits,
        expired: Credits,
        owed: Credits,
        forgiven: Credits,
    ) -> Result<(), Imbalance> {
        let less = |sum: Credits, amounts: &[Credits]| {
            let taken = Credits::checked_sum(amounts.iter().copied());
            taken.and_then(|taken| sum.checked_sub(taken)).ok_or(Imbalance)
        };
        self.clawed_back = less(self.clawed_back, &[restored, expired, owed, forgiven])?;
        self.clawed_back_expired = less(self.clawed_back_expired, &[expired])?;
        self.clawed_back_spent = less(self.clawed_back_spent, &[owed, forgiven])?;
        self.clawed_back_owed = less(self.clawed_back_owed, &[owed])?;
        Ok(())
    }

    /// The part of `clawed_back` that was left of the grant, and was voided.
    #[must_use]
    pub const fn clawed_back_left(&self) -> Credits {
        self.clawed_back.saturating_sub(self.clawed_back_spent).saturating_sub(self.clawed_back_expired)
    }

    /// What was spent or is held, and was not clawed back yet.
    #[must_use]
    pub fn spent_unasked(&self) -> Credits {
        self.used().saturating_sub(self.clawed_back_spent)
    }

    /// What expired, and was not counted as clawed back yet.
    #[must_use]
    pub const fn expired_unasked(&self) -> Credits {
        self.expired.saturating_sub(self.clawed_back_expired)
    }

    /// Whether the parts of the grant sum to what was granted.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        Credits::checked_sum([self.consumed, self.held, self.expired, self.voided, self.remaining])
            == Some(self.terms.amount)
    }
}

/// The spending order `burn/v1`: priority, then expiry (soonest first, never last), then free before paid,
/// then granted earlier, then id.
#[must_use]
pub fn burn_order(one: &Grant, other: &Grant) -> Ordering {
    let key = |grant: &Grant| {
        (
            grant.terms.priority,
            grant.ends_at().is_none(),
            grant.ends_at(),
            grant.terms.cost.is_some(),
            grant.granted_at,
        )
    };
    key(one).cmp(&key(other)).then_with(|| one.terms.grant_id.cmp(&other.terms.grant_id))
}
