//! What was taken off an invoice after it was final, and where did the money go?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteLine {
    pub id: String,
    pub amount: i64,
    pub description: Option<String>,
    /// Of the invoice, where it is about one.
    pub invoice_line: Option<String>,
}

#[derive(Clone, Debug)]
pub struct SandboxCreditNote {
    pub id: String,
    pub created: i64,
    pub invoice: String,
    pub customer: String,
    pub currency: String,
    pub number: String,
    pub amount: i64,
    /// Taken off what was still to be paid.
    pub pre_payment: i64,
    /// To the customer's balance.
    pub credited: i64,
    /// By refunds: which, and how much of each.
    pub refunds: Vec<(String, i64)>,
    pub out_of_band: i64,
    pub lines: Vec<NoteLine>,
    pub reason: Option<String>,
    pub memo: Option<String>,
    pub metadata: ObjectMetadata,
    pub voided_at: Option<i64>,
}

impl Stored for SandboxCreditNote {
    const KIND: &'static str = "credit note";
    const OBJECT: &'static str = "credit_note";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
