//! What has happened, as it was when it happened?

use serde_json::{Value, json};

use crate::sandbox::{state::State, table::Stored, webhooks::shapes::NEWEST};

#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub created: i64,
    pub kind: String,
    /// In today's shape.
    pub object: Value,
    /// What the fields that changed were before.
    pub previous: Option<Value>,
    /// Of the request that caused it.
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
    /// Deliveries that have not been accepted yet.
    pub pending: u64,
}

impl Stored for Event {
    const KIND: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &State) -> Value {
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
