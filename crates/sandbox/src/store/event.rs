//! What has happened, as it was when it happened?

use serde_json::{Value, json};

use super::table::Stored;

#[derive(Clone, Debug)]
pub struct SandboxEvent {
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
    /// The document, of an event that happened elsewhere.
    pub recorded: Option<Value>,
}

impl Stored for SandboxEvent {
    const KIND: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl SandboxEvent {
    /// What there is of the object after the event. Of a customer that was deleted there is nothing but that.
    pub fn left_of_it(&self) -> Value {
        if self.kind == "customer.deleted" {
            return json!({ "id": self.object.get("id"), "object": "customer", "deleted": true });
        }
        self.object.clone()
    }

    /// One that happened elsewhere; `None` when the document is no event.
    pub fn of_document(document: &Value) -> Option<Self> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: text("id")?,
            created: document.get("created").and_then(Value::as_i64)?,
            kind: text("type")?,
            object: document.pointer("/data/object")?.clone(),
            previous: document.pointer("/data/previous_attributes").cloned(),
            request: None,
            idempotency_key: None,
            pending: 0,
            recorded: Some(document.clone()),
        })
    }
}
