//! How is a product shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{Store, product::SandboxProduct};

impl Shown for SandboxProduct {
    fn render(&self, _store: &Store) -> Value {
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
