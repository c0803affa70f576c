//! What did a credit note take off a finalized invoice, and where did the money go?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteLine {
    pub id: String,
    pub amount: i64,
    pub description: Option<String>,
    /// The line of the invoice that this line credits, if it credits one.
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
    /// Taken off the amount that was still due, in minor units.
    pub pre_payment: i64,
    /// Credited to the customer's balance, in minor units.
    pub credited: i64,
    /// The ids of refunds, and how much each returns, in minor units.
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
