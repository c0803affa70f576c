//! Which money was taken from a payment method, and which charges failed?

use super::{card::Decline, table::Stored};
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    Pending,
    Succeeded,
    Failed(Decline),
}

#[derive(Clone, Debug)]
pub struct SandboxCharge {
    pub id: String,
    pub created: i64,
    pub amount: i64,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub captured: bool,
    pub currency: String,
    pub customer: Option<String>,
    pub description: Option<String>,
    pub disputed: bool,
    pub outcome: ChargeOutcome,
    pub payment_intent: String,
    pub payment_method: String,
    pub authenticated: bool,
    pub metadata: ObjectMetadata,
    /// Not shown since API version basil.
    pub invoice: Option<String>,
}

impl Stored for SandboxCharge {
    const KIND: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
