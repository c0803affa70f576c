//! What is on an invoice?

use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct SandboxInvoiceLine {
    pub id: String,
    /// Below zero: time that was paid for and not used. In minor units.
    pub amount: i64,
    pub currency: String,
    pub description: String,
    pub quantity: i64,
    pub period: (i64, i64),
    pub price: String,
    pub product: String,
    pub unit_amount: i64,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    /// Prorations and single sales are invoice items first.
    pub invoice_item: Option<String>,
    pub proration: bool,
    /// Of a credit: what it gives back.
    pub credited: Option<Credited>,
    /// From when on it was given back already.
    pub given_back_from: Option<i64>,
    /// By which discount it costs how much less.
    pub discounts: Vec<(String, i64)>,
    pub metadata: ObjectMetadata,
}

/// The debits that a credit gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// `None` while they have not been asked for either.
    pub invoice: Option<String>,
    pub lines: Vec<String>,
}

impl SandboxInvoiceLine {
    /// What it costs after discounts.
    pub fn net(&self) -> i64 {
        self.discounts.iter().fold(self.amount, |left, (_, amount)| left.saturating_sub(*amount))
    }

    /// Until when it was paid for and not given back.
    pub fn covered_until(&self) -> i64 {
        self.given_back_from.unwrap_or(self.period.1)
    }
}
