//! What does a price charge, and how often?

use super::table::Stored;
use crate::{calendar::Recurring, call::ObjectMetadata};

#[derive(Clone, Debug)]
pub struct SandboxPrice {
    pub id: String,
    pub created: i64,
    pub active: bool,
    pub product: String,
    pub currency: String,
    /// Per unit, in minor units.
    pub unit_amount: i64,
    pub recurring: Option<Recurring>,
    pub lookup_key: Option<String>,
    pub nickname: Option<String>,
    pub tax_behavior: String,
    pub metadata: ObjectMetadata,
}

impl Stored for SandboxPrice {
    const KIND: &'static str = "price";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
