//! What does an invoice say: which lines were paid, or why it was not?
//!
//! **These names and fields are part of the storage format**, as those of events are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    catalog::RolloverCap,
    ids::{PlanId, ProviderId},
    time::{Period, Timestamp},
};

/// A paid invoice, as far as it is about plans. Two reports with the same id are about one invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidInvoice {
    pub invoice: ProviderId,
    pub subscription: ProviderId,
    /// The invoice's total, paid by money and by the customer's balance, in minor units.
    /// Negative if it gives back more than it charges.
    pub total: i64,
    /// How much of `total` credit notes took off before it was paid, in minor units.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub credited: i64,
    /// How much of `total` the customer's balance paid, in minor units.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub from_balance: i64,
    /// How much of other invoices this one gives back, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gives_back: BTreeMap<ProviderId, ReturnedCredits>,
    pub lines: Vec<PaidLine>,
    /// When the invoice was created, which may be long before it was paid.
    pub created_at: Timestamp,
    /// When the invoice was finalized: its use of the customer's balance, and what it puts there, count from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized_at: Option<Timestamp>,
}

impl PaidInvoice {
    /// The other invoice of which a line gives back a part.
    /// `None` also if a line gives back what the same invoice charges, because a plan was changed twice before it was
    /// billed:
    /// no other invoice's money is involved.
    #[must_use]
    pub fn other_given_back<'a>(&self, line: &'a PaidLine) -> Option<&'a ProviderId> {
        line.gives_back.as_ref().filter(|of| **of != self.invoice)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}

/// How much of another invoice this one gives back, including parts that are not about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReturnedCredits {
    /// In minor units, after discounts and with tax, as it is set off against what is charged.
    pub amount: i64,
    /// The end of the period for which it is given back.
    pub until: Timestamp,
}

/// An invoice line about a plan, with what a month of the plan gave when the line was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidLine {
    pub line: ProviderId,
    pub plan: PlanId,
    pub quantity: u32,
    /// The period that the line pays for. Each month gets the line's share of it.
    pub period: Period,
    pub effect: LineEffect,
    /// The invoice of which this line gives back a part, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<ProviderId>,
    /// For how many months the price is.
    pub months: u32,
    /// Whether the whole price was charged, and not a share of it.
    #[serde(default)]
    pub full: bool,
    /// Whether the plan's price is 0, so that nothing has to be paid for it.
    #[serde(default)]
    pub free: bool,
    /// How many credits the plan gives a month, for a quantity of one.
    pub unit: Credits,
    /// How much may roll over into a month of the plan. `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<RolloverCap>,
    pub cost: Money,
}

/// What a line does to the credits of its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineEffect {
    /// It charges for the plan, and gives credits.
    Charge,
    /// It returns money, and takes credits back.
    Credit,
    /// A proration over an amount of 0, so that it does not say whether it charges or returns.
    /// Outside of a trial, a coupon has paid for it.
    Nothing,
}

/// An invoice that is not paid, by one report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UnpaidInvoice {
    pub invoice: ProviderId,
    pub subscription: ProviderId,
    pub state: InvoiceState,
    /// Whether it charges for a change inside of a period.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_change: bool,
    /// What it would pay for.
    pub charges: Vec<UnpaidCharge>,
    /// How much of it the customer's balance paid, in minor units. A void invoice returns it to the balance.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub from_balance: i64,
    /// When the customer's balance paid that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized_at: Option<Timestamp>,
}

impl UnpaidInvoice {
    /// Whether it charges for the plan at `at`.
    #[must_use]
    pub fn charges_for(&self, plan: &PlanId, at: Timestamp) -> bool {
        self.charges.iter().any(|charge| charge.plan == *plan && charge.period.contains(at))
    }

    /// Whether it pays for the time after `end`, the end of a paid period.
    /// A change inside of the next period does not, and an earlier attempt does not if the period was renewed all the
    /// same.
    #[must_use]
    pub fn goes_on_at(&self, end: Timestamp, was_renewed: bool) -> bool {
        let begins_by =
            |charge: &UnpaidCharge| !self.is_change || (!was_renewed && charge.period.start <= end);
        self.charges.iter().any(|charge| charge.period.end > end && begins_by(charge))
    }

    /// Whether it charges for a change to the plan inside of the period that runs at `at`.
    #[must_use]
    pub fn charges_for_change(&self, plan: &PlanId, at: Timestamp) -> bool {
        self.is_change && self.charges_for(plan, at)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UnpaidCharge {
    pub plan: PlanId,
    pub period: Period,
}

/// Why an invoice is not paid. Of several reports the later variant holds, in whatever order they become known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// The first invoice of a subscription, or one for a change, awaits its payment.
    Open,
    /// A payment failed, and may be tried again.
    Failed,
    /// The payment is no longer expected, but still possible.
    Uncollectible,
    /// It will never be paid.
    Void,
}

impl InvoiceState {
    /// The state as a part of a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Open => "awaiting its payment",
            Self::Failed => "not paid, since its payment failed",
            Self::Uncollectible => "given up",
            Self::Void => "void",
        }
    }

    /// Whether no payment is expected any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Open | Self::Failed => false,
            Self::Uncollectible | Self::Void => true,
        }
    }
}
