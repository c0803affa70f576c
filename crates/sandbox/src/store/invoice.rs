//! What does an invoice charge, and has it been paid?

use strum::IntoStaticStr;

use super::{line::SandboxInvoiceLine, table::Stored};
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Void,
    Uncollectible,
}

impl InvoiceStatus {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Clone, Debug)]
pub struct Invoice {
    pub id: String,
    pub created: i64,
    pub customer: String,
    pub subscription: Option<String>,
    pub status: InvoiceStatus,
    pub billing_reason: &'static str,
    pub lines: Vec<SandboxInvoiceLine>,
    pub currency: String,
    pub period: (i64, i64),
    pub number: Option<String>,
    pub attempts: i64,
    /// Whether it is finalized and collected automatically.
    pub auto_advance: bool,
    pub automatic: bool,
    pub finalizes_at: Option<i64>,
    pub next_attempt: Option<i64>,
    pub due_date: Option<i64>,
    pub payment_intent: Option<String>,
    pub amount_paid: i64,
    pub paid_out_of_band: bool,
    /// The total of credit notes before payment, in minor units.
    pub notes_before_payment: i64,
    /// The total of credit notes after payment, in minor units.
    pub notes_after_payment: i64,
    /// Payments in addition to its own: the payment intent, the amount in minor units, and the time.
    pub other_payments: Vec<(String, i64, i64)>,
    /// The customer's balance before finalization, in minor units.
    pub starting_balance: i64,
    /// The customer's balance after finalization, in minor units.
    pub ending_balance: Option<i64>,
    pub finalized_at: Option<i64>,
    pub paid_at: Option<i64>,
    pub voided_at: Option<i64>,
    pub marked_uncollectible_at: Option<i64>,
    pub metadata: ObjectMetadata,
    /// The subscription's metadata when the invoice was made.
    pub subscription_metadata: ObjectMetadata,
}

impl Stored for Invoice {
    const KIND: &'static str = "invoice";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Invoice {
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.net()))
    }

    /// What is left to pay after the customer's balance is applied, in minor units.
    pub fn due(&self) -> i64 {
        let used = match self.ending_balance {
            Some(ending) => self.starting_balance.saturating_sub(ending),
            None => self.starting_balance,
        };
        self.total().saturating_add(used).saturating_sub(self.notes_before_payment).max(0)
    }

    /// The part of the amount due that has not been paid, in minor units.
    pub fn remaining(&self) -> i64 {
        self.due().saturating_sub(self.amount_paid)
    }

    pub fn is_paid_by(&self, intent: &str) -> bool {
        self.payment_intent.as_deref() == Some(intent)
            || self.other_payments.iter().any(|(other, _, _)| other == intent)
    }

    pub fn payment_id(&self) -> String {
        format!("inpay_{}", self.id.trim_start_matches("in_"))
    }
}
