//! Who pays?

use serde_json::Value;

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug, Default)]
pub struct Customer {
    pub id: String,
    pub created: i64,
    pub deleted: bool,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub description: Option<String>,
    pub address: Option<Value>,
    pub shipping: Option<Value>,
    pub currency: Option<String>,
    /// In minor units. A negative balance is a credit, which pays for later invoices.
    pub balance: i64,
    pub default_payment_method: Option<String>,
    pub metadata: ObjectMetadata,
    /// The beginning of the customer's invoice numbers.
    pub invoice_prefix: String,
    pub invoices_numbered: i64,
    pub delinquent: bool,
    pub discount: Option<String>,
}

impl Stored for Customer {
    const KIND: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn listed(&self) -> bool {
        !self.deleted
    }
}
