//! What happened, and what was the object like then?

use serde_json::{Value, json};

use super::table::Stored;

#[derive(Clone, Debug)]
pub struct SandboxEvent {
    pub id: String,
    pub created: i64,
    pub kind: String,
    /// As the newest API version shows it.
    pub object: Value,
    /// The previous values of the fields that changed.
    pub previous: Option<Value>,
    /// The id of the request that caused it.
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
    /// The number of deliveries that have not been accepted yet.
    pub pending: u64,
    /// The whole document, if the event was recorded elsewhere.
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
    /// The object after the event. A deleted customer has only its id and `deleted`.
    pub fn left_of_it(&self) -> Value {
        if self.kind == "customer.deleted" {
            return json!({ "id": self.object.get("id"), "object": "customer", "deleted": true });
        }
        self.object.clone()
    }

    /// Reads an event that was recorded elsewhere. `None`: the document is not an event.
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
