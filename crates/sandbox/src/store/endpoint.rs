//! Where are events delivered?

use super::table::Stored;
use crate::call::ObjectMetadata;

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
    /// Whether the object shows its secret, as only the answer that creates the endpoint does.
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
}

impl Endpoint {
    pub fn wants(&self, kind: &str) -> bool {
        let wanted = self.enabled_events.iter().any(|event| event == "*" || event == kind);
        self.enabled && !self.deleted && wanted
    }
}
