//! What does a customer pay for in every period?

use strum::IntoStaticStr;

use super::{line::SandboxInvoiceLine, table::Stored};
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SandboxSubscriptionStatus {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Canceled,
}

impl SandboxSubscriptionStatus {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether another period follows the current one.
    pub const fn renews(self) -> bool {
        matches!(self, Self::Active | Self::PastDue | Self::Unpaid | Self::Trialing)
    }
}

#[derive(Clone, Debug)]
pub struct SubscriptionItem {
    pub id: String,
    pub created: i64,
    pub price: String,
    pub quantity: i64,
    pub metadata: ObjectMetadata,
    pub period_start: i64,
    pub period_end: i64,
    pub discounts: Vec<String>,
}

/// What happens to invoices while collection is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseCollection {
    pub behavior: String,
    pub resumes_at: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct SandboxSubscription {
    pub id: String,
    pub created: i64,
    /// When it began, in Unix seconds. Earlier than `created` if it was backdated.
    pub start_date: i64,
    pub customer: String,
    pub status: SandboxSubscriptionStatus,
    pub items: Vec<SubscriptionItem>,
    pub currency: String,
    pub billing_cycle_anchor: i64,
    /// Whether its billing mode is flexible. In that mode, the portal cancels with `cancel_at` alone.
    pub flexible: bool,
    pub cancel_at: Option<i64>,
    pub cancel_at_period_end: bool,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub cancellation_reason: Option<String>,
    pub cancellation_comment: Option<String>,
    pub cancellation_feedback: Option<String>,
    pub collection_method: String,
    pub days_until_due: Option<i64>,
    pub default_payment_method: Option<String>,
    pub discounts: Vec<String>,
    pub description: Option<String>,
    pub latest_invoice: Option<String>,
    pub metadata: ObjectMetadata,
    pub pause_collection: Option<PauseCollection>,
    pub save_default_payment_method: String,
    pub trial_start: Option<i64>,
    pub trial_end: Option<i64>,
    /// What happens if a trial ends without a payment method.
    pub trial_without_method: String,
    pub trial_end_told: bool,
    /// Why it is paused, and since when.
    pub paused: Option<(&'static str, i64)>,
    /// The id of the schedule that changes it when a phase ends.
    pub schedule: Option<String>,
    /// The change that takes effect when its invoice is paid.
    pub pending_update: Option<PendingUpdate>,
    /// Prorations that wait for the next invoice.
    pub pending: Vec<SandboxInvoiceLine>,
}

/// A change that takes effect when its invoice is paid.
#[derive(Clone, Debug)]
pub struct PendingUpdate {
    pub after: Box<SandboxSubscription>,
    pub invoice: String,
    pub expires_at: i64,
    /// Whether it is a resumption, which the object shows by its billing cycle anchor.
    pub resumes: bool,
}

impl Stored for SandboxSubscription {
    const KIND: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl SandboxSubscription {
    pub fn period_start(&self) -> i64 {
        self.items.first().map_or(self.created, |item| item.period_start)
    }

    pub fn period_end(&self) -> i64 {
        self.items.first().map_or(self.created, |item| item.period_end)
    }

    /// When it is set to end: at a date, or with its period.
    pub fn ends_at(&self) -> Option<i64> {
        self.cancel_at.or_else(|| self.cancel_at_period_end.then(|| self.period_end()))
    }

    pub fn is_automatic(&self) -> bool {
        self.collection_method == "charge_automatically"
    }
}
