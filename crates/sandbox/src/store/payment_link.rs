//! What can anyone buy who opens a certain address?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct PaymentLink {
    pub id: String,
    pub created: i64,
    /// The ids of prices, with a quantity each.
    pub items: Vec<(String, i64)>,
    pub metadata: ObjectMetadata,
    pub allow_promotion_codes: bool,
}

impl Stored for PaymentLink {
    const KIND: &'static str = "payment link";
    const OBJECT: &'static str = "payment_link";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
