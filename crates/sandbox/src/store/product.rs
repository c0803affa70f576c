//! What is sold?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug, Default)]
pub struct SandboxProduct {
    pub id: String,
    pub created: i64,
    pub updated: i64,
    pub active: bool,
    pub deleted: bool,
    pub name: String,
    pub description: Option<String>,
    pub default_price: Option<String>,
    pub images: Vec<String>,
    pub marketing_features: Vec<String>,
    pub unit_label: Option<String>,
    pub statement_descriptor: Option<String>,
    pub url: Option<String>,
    pub metadata: ObjectMetadata,
}

impl Stored for SandboxProduct {
    const KIND: &'static str = "product";

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
