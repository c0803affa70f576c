//! How is a webhook endpoint shown?

use serde_json::{Value, json};

use super::Shown;
use crate::store::{Store, endpoint::Endpoint};

impl Shown for Endpoint {
    fn render(&self, _store: &Store) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.enabled { "enabled" } else { "disabled" },
            "url": self.url,
        });
        if let (true, Some(object)) = (self.reveals, object.as_object_mut()) {
            object.insert("secret".to_owned(), json!(self.secret));
        }
        object
    }
}
