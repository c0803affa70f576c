//! Who is told about what happens?

use serde_json::{Value, json};

use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: String,
    pub created: i64,
    pub url: String,
    pub api_version: Option<String>,
    pub enabled_events: Vec<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub deleted: bool,
    pub metadata: ObjectMetadata,
    pub secret: String,
    /// The secret is shown once, in the answer that made the endpoint.
    pub reveals: bool,
}

impl Stored for Endpoint {
    const KIND: &'static str = "webhook endpoint";

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

impl Endpoint {
    pub fn wants(&self, kind: &str) -> bool {
        let wanted = self.enabled_events.iter().any(|event| event == "*" || event == kind);
        self.enabled && !self.deleted && wanted
    }
}
