//! What does a customer pay with?

use super::{card::TestCard, table::Stored};
use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct PaymentMethod {
    pub id: String,
    pub created: i64,
    pub customer: Option<String>,
    pub card: TestCard,
    /// The expiry year. The checkout page refuses a past year.
    pub exp_year: i32,
    pub exp_month: u32,
    /// Whether it was authenticated for off-session payments.
    pub set_up: bool,
    pub email: Option<String>,
    pub name: Option<String>,
    pub metadata: ObjectMetadata,
}

impl Stored for PaymentMethod {
    const KIND: &'static str = "PaymentMethod";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
