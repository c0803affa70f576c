//! What is on an invoice?

use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct SandboxInvoiceLine {
    pub id: String,
    /// In minor units. Negative for a credit, which returns paid time that was not used.
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
    /// The invoice item that the line was made of: prorations and single sales begin as one.
    pub invoice_item: Option<String>,
    pub proration: bool,
    /// The debits that the line credits, if it is a credit.
    pub credited: Option<Credited>,
    /// The time from which on the line has been credited.
    pub given_back_from: Option<i64>,
    /// The ids of discounts, and the amount that each takes off, in minor units.
    pub discounts: Vec<(String, i64)>,
    pub metadata: ObjectMetadata,
}

/// The debits that a credit returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// `None` while the debits are not on an invoice yet.
    pub invoice: Option<String>,
    pub lines: Vec<String>,
}

impl SandboxInvoiceLine {
    /// The amount after discounts, in minor units.
    pub fn net(&self) -> i64 {
        self.discounts.iter().fold(self.amount, |left, (_, amount)| left.saturating_sub(*amount))
    }

    /// The end of the time that is paid for and not credited.
    pub fn covered_until(&self) -> i64 {
        self.given_back_from.unwrap_or(self.period.1)
    }
}
