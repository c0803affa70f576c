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

/// A paid invoice, as far as it is about plans. It is known by its id, so that two reports of it are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidInvoice {
    pub invoice: ProviderId,
    pub subscription: ProviderId,
    /// What was to be paid, in minor units: by money, and by the customer's balance. Negative when all in all money was
    /// given back.
    pub total: i64,
    /// The part of `total` that credit notes took off before it was paid.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub credited: i64,
    /// The part of `total` that the customer's balance paid.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub from_balance: i64,
    /// What it gives back of other invoices, by those.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gives_back: BTreeMap<ProviderId, ReturnedCredits>,
    pub lines: Vec<PaidLine>,
    /// When the invoice was made, which may be long before it was paid.
    pub created_at: Timestamp,
    /// When the customer's balance paid its part, or got what the invoice gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized_at: Option<Timestamp>,
}

impl PaidInvoice {
    /// The other invoice that a line gives back a part of. What was changed twice before it was billed is charged for
    /// and given back by one invoice: that is no money of another's, and goes back with the whole.
    #[must_use]
    pub fn other_given_back<'a>(&self, line: &'a PaidLine) -> Option<&'a ProviderId> {
        line.gives_back.as_ref().filter(|of| **of != self.invoice)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}

/// What an invoice gives back of another one, also of what is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReturnedCredits {
    /// In minor units, after discounts, and with tax, as it is set off against what is charged.
    pub amount: i64,
    /// The end of the period that it is for.
    pub until: Timestamp,
}

/// A line that is about a plan, and what a month of the plan gave when the line was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidLine {
    pub line: ProviderId,
    pub plan: PlanId,
    pub quantity: u32,
    /// The line's own period: a line pays the share of it in whole months.
    pub period: Period,
    pub effect: LineEffect,
    /// The invoice that it gives back a part of, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<ProviderId>,
    /// How many months the price is for.
    pub months: u32,
    /// Whether the whole price was charged, and no share of it.
    #[serde(default)]
    pub full: bool,
    /// Whether the plan's price is 0, so that nothing has to be paid for it.
    #[serde(default)]
    pub free: bool,
    /// What one of the plan gives a month.
    pub unit: Credits,
    /// What may be carried into a month of the plan. `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<RolloverCap>,
    pub cost: Money,
}

/// What a line does with the share of credits that is for its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineEffect {
    /// It charges for the plan, and gives.
    Charge,
    /// It gives money back, and takes.
    Credit,
    /// A proration of nothing that does not say what it is. Outside of a trial it is what a coupon has paid for.
    Nothing,
}

/// An invoice that is not paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UnpaidInvoice {
    pub invoice: ProviderId,
    pub subscription: ProviderId,
    pub state: InvoiceState,
    /// Whether it charges for a change inside of a period.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_change: bool,
    /// What it would have paid for.
    pub charges: Vec<UnpaidCharge>,
    /// What the customer's balance paid of it, in minor units. That is on the balance again when it is void.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub from_balance: i64,
    /// When the balance paid that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized_at: Option<Timestamp>,
}

impl UnpaidInvoice {
    /// Whether it charges for a plan at a time.
    #[must_use]
    pub fn charges_for(&self, plan: &PlanId, at: Timestamp) -> bool {
        self.charges.iter().any(|charge| charge.plan == *plan && charge.period.contains(at))
    }

    /// Whether it is to pay for what comes after the end of a period: a change inside of the next one is beside that,
    /// and so is one that was tried before where the period was renewed all the same.
    #[must_use]
    pub fn goes_on_at(&self, end: Timestamp, was_renewed: bool) -> bool {
        let begins_by =
            |charge: &UnpaidCharge| !self.is_change || (!was_renewed && charge.period.start <= end);
        self.charges.iter().any(|charge| charge.period.end > end && begins_by(charge))
    }

    /// Whether it charges for a change to a plan inside of a period that goes on at a time.
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

/// Why an invoice is not paid. A later one holds over an earlier one, in whatever order they become known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// The first invoice of a subscription, or one for a change, waits for its money.
    Open,
    /// A payment failed, and may be tried again.
    Failed,
    /// Nobody expects the money any more. It may come all the same.
    Uncollectible,
    /// It will never be paid.
    Void,
}

impl InvoiceState {
    /// How it stands, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Open => "waiting for its money",
            Self::Failed => "not paid, since its payment failed",
            Self::Uncollectible => "given up",
            Self::Void => "void",
        }
    }

    /// Whether the money is not expected to come.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Open | Self::Failed => false,
            Self::Uncollectible | Self::Void => true,
        }
    }
}
