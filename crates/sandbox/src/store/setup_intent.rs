//! How is a payment method saved for later, without a charge?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct SetupIntent {
    pub id: String,
    pub created: i64,
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub metadata: ObjectMetadata,
}

impl Stored for SetupIntent {
    const KIND: &'static str = "setupintent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
