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
    /// How much money was paid.
    pub money: Money,
    /// The invoice's total, paid by money and by the customer's balance, in minor units.
    pub total: i64,
    /// How much of `total` credit notes took off before it was paid, in minor units.
    pub credited: i64,
    /// How much of `total` the customer's balance paid, in minor units.
    pub from_balance: i64,
    /// How much of other invoices this one gives back, by their ids.
    pub gives_back: BTreeMap<ProviderId, ReturnedCredits>,
    pub lines: Vec<InvoiceLine>,
    /// When the invoice was created.
    pub created_at: Timestamp,
    /// When the invoice was finalized: its use of the customer's balance, and what it puts there, count from then.
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
    /// The invoice of which this line gives back a part, if it names one.
    pub gives_back: Option<ProviderId>,
    /// Whether the whole price was charged, and not a share of it.
    pub full: bool,
    /// Whether the plan's price is 0.
    pub free: bool,
    pub cost: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordPackPurchase {
    /// The invoice that was paid, or the payment if there is none.
    /// Two reports with the same one are about one purchase.
    pub payment: ProviderId,
    /// The line of the invoice or session, if the payment was for more than this pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ProviderId>,
    pub session: Option<ProviderId>,
    pub pack: PackId,
    /// The terms of the sale, as they were sent to the payment provider. `None`: the catalog's terms hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    pub quantity: u32,
    /// The price before discounts and taxes, if the quantity has to be derived from it: it is divided by the price of
    /// one pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<Money>,
    /// What was paid for these packs.
    pub money: Money,
    /// What was paid in all, if the payment was for more than these packs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    pub effective_at: Timestamp,
}

impl RecordPackPurchase {
    /// The id of the grant that this purchase leads to.
    ///
    /// # Errors
    /// If the provider's ids make it longer than the id of a grant can be.
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
    /// The terms of the pack that is sold on the page, for a checkout that has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold: Option<SoldPack>,
    /// What the caller attached to the purchase, for a checkout that has started.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The invoice that the session makes besides its payment, for a completed checkout.
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
