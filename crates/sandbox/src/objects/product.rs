//! What is sold?

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

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

    fn render(&self, _state: &SandboxState) -> Value {
        let features: Vec<Value> =
            self.marketing_features.iter().map(|name| json!({ "name": name })).collect();
        let object = json!({
            "id": self.id,
            "object": "product",
            "active": self.active,
            "created": self.created,
            "default_price": self.default_price,
            "description": self.description,
            "images": self.images,
            "livemode": false,
            "marketing_features": features,
            "metadata": self.metadata,
            "name": self.name,
            "statement_descriptor": self.statement_descriptor,
            "type": "service",
            "unit_label": self.unit_label,
            "updated": self.updated,
            "url": self.url,
        });
        with_nulls(object, &["package_dimensions", "shippable", "tax_code"])
    }
}
