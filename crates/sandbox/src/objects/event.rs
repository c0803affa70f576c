//! How is an event shown?

use serde_json::{Value, json};

use super::{NEWEST, Shown};
use crate::store::{Store, event::SandboxEvent};

impl Shown for SandboxEvent {
    fn render(&self, _store: &Store) -> Value {
        if let Some(document) = &self.recorded {
            return document.clone();
        }
        let mut data = json!({ "object": self.object });
        if let (Some(data), Some(previous)) = (data.as_object_mut(), &self.previous) {
            data.insert("previous_attributes".to_owned(), previous.clone());
        }
        json!({
            "id": self.id,
            "object": "event",
            "api_version": NEWEST,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": self.pending,
            "request": { "id": self.request, "idempotency_key": self.idempotency_key },
            "type": self.kind,
        })
    }
}
