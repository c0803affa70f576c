//! What does the payment provider report?

use std::collections::BTreeMap;

use serde::Serialize;

use super::SubscriptionChange;
use crate::{
    amount::Money,
    catalog::Interval,
    event::PaymentPurpose,
    ids::{GrantId, InvalidIdentifier, PackId, PlanId, ProviderId},
    invoice::{LineEffect, ReturnedCredits},
    metadata::Metadata,
    sold_pack::SoldPack,
    subscription::SubscriptionState,
    time::{Period, Timestamp},
};

/// What Stripe reports of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordSubscription {
    pub change: SubscriptionChange,
    pub terms: SubscriptionState,
    pub effective_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordPaidInvoice {
    pub invoice: ProviderId,
    pub subscription: Option<ProviderId>,
    /// What changed hands.
    pub money: Money,
    /// What was to be paid, by money and by the customer's balance, in minor units.
    pub total: i64,
    /// The part of `total` that credit notes took off before it was paid.
    pub credited: i64,
    /// The part of `total` that the customer's balance paid.
    pub from_balance: i64,
    /// What it gives back of other invoices, by those.
    pub gives_back: BTreeMap<ProviderId, ReturnedCredits>,
    pub lines: Vec<InvoiceLine>,
    /// When the invoice was made.
    pub created_at: Timestamp,
    /// When the customer's balance paid its part, or got what the invoice gives back.
    pub finalized_at: Option<Timestamp>,
    /// When it was paid.
    pub effective_at: Timestamp,
}

/// A line that is about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceLine {
    pub line: ProviderId,
    pub plan: PlanId,
    pub quantity: u32,
    pub period: Period,
    pub interval: Interval,
    pub effect: LineEffect,
    /// The invoice that it gives back a part of, if it names one.
    pub gives_back: Option<ProviderId>,
    /// Whether the whole price was charged, and no share of it.
    pub full: bool,
    /// Whether the plan's price is 0.
    pub free: bool,
    pub cost: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordPackPurchase {
    /// The payment, or the invoice that it paid, which is what makes two reports of one purchase the same.
    pub payment: ProviderId,
    /// The line of the invoice or of the session, where the payment was for more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ProviderId>,
    pub session: Option<ProviderId>,
    pub pack: PackId,
    /// What it gives, as the payment provider was told when it was sold. `None`: as the catalog says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    pub quantity: u32,
    /// What it came to before discounts and taxes, where only that says how many there were: then it is counted by the
    /// price that they were sold at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<Money>,
    /// What was paid for these.
    pub money: Money,
    /// What was paid in all, where the payment was for more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    pub effective_at: Timestamp,
}

impl RecordPackPurchase {
    /// The grant that it leads to.
    ///
    /// # Errors
    /// When the provider's ids are longer than an id of a grant can be.
    pub fn grant_id(&self) -> Result<GrantId, InvalidIdentifier> {
        match &self.item {
            Some(item) => GrantId::parse(&format!("pack:{}:{item}", self.payment)),
            None => GrantId::parse(&format!("pack:{}", self.payment)),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordCheckout {
    pub session: ProviderId,
    pub step: CheckoutStep,
    pub purpose: PaymentPurpose,
    pub customer: Option<ProviderId>,
    /// What a pack gives and costs that is sold on the page, for one that has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    /// The caller's metadata of the purchase, for a checkout that has started.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The invoice that the session makes beside its payment, for a completed checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<ProviderId>,
    pub effective_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStep {
    Started,
    Completed { paid: bool },
    Expired,
}
