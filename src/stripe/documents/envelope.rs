//! Which fields do all of Stripe's events have?

use serde_json::Value;

use super::{Document, StripeKey};
use crate::domain::{ids::ProviderId, time::Timestamp};

/// An event as it was delivered. Only what the ledger needs is required; everything else may be absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub id: ProviderId,
    /// Such as `invoice.paid`. It has the same characters as an id.
    pub kind: String,
    /// When Stripe made the event, to the second.
    pub created: Timestamp,
    pub livemode: bool,
    pub api_version: Option<String>,
    /// The connected account that it is about. `None`: the Stripe account itself.
    pub account: Option<String>,
    /// The key of the call that caused it, if the program made that call.
    pub stripe_key: Option<String>,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Snapshot {
        /// The object after the change.
        object: Value,
        /// For a change: the earlier values of the changed fields.
        previous: Option<Value>,
    },
    /// A notification that only says where the object can be fetched.
    Thin,
}

/// The body is not an event. It cannot be stored, since it has no id.
#[derive(Debug, thiserror::Error)]
pub enum Unparsable {
    #[error("the body is not JSON")]
    NotJson(#[source] serde_json::Error),
    #[error("the event has no {field} that can be read")]
    Field { field: &'static str },
}

impl Envelope {
    /// # Errors
    /// If the body is not JSON, or lacks a field that all events have.
    pub fn parse(body: &[u8]) -> Result<Self, Unparsable> {
        let value: Value = serde_json::from_slice(body).map_err(Unparsable::NotJson)?;
        Self::of(&value)
    }

    /// # Errors
    /// If the document lacks a field that all events have.
    pub fn of(document: &Value) -> Result<Self, Unparsable> {
        let event = Document::new(document);
        let missing = |field| Unparsable::Field { field };
        let kind = event.id("type").ok_or_else(|| missing("type"))?;
        let (created, content) = match event.text("object") {
            Some("v2.core.event") => {
                let created = event.text("created").and_then(|text| Timestamp::parse(text).ok());
                (created, Content::Thin)
            }
            _ => (event.time("created"), snapshot(event).ok_or_else(|| missing("data.object"))?),
        };
        Ok(Self {
            id: event.id("id").ok_or_else(|| missing("id"))?,
            kind: kind.as_str().to_owned(),
            created: created.ok_or_else(|| missing("created"))?,
            livemode: event.is_true("livemode"),
            api_version: event.id("api_version").map(|version| version.as_str().to_owned()),
            account: event.id("account").map(|account| account.as_str().to_owned()),
            stripe_key: event
                .text("request.idempotency_key")
                .filter(|key| StripeKey::is_ours(key))
                .map(str::to_owned),
            content,
        })
    }

    /// The object that the event is about. `None`: it is a thin event.
    #[must_use]
    pub const fn object(&self) -> Option<Document<'_>> {
        match &self.content {
            Content::Snapshot { object, .. } => Some(Document::new(object)),
            Content::Thin => None,
        }
    }

    /// The same event with all lines of its invoice, of which Stripe delivers the first ten.
    #[must_use]
    pub fn with_lines(self, lines: Vec<Value>) -> Self {
        self.with_list("lines", lines)
    }

    /// The same event with all members of a list of its object.
    #[must_use]
    pub fn with_list(mut self, name: &str, members: Vec<Value>) -> Self {
        if let Content::Snapshot { object: Value::Object(object), .. } = &mut self.content {
            let list = serde_json::json!({ "object": "list", "data": members, "has_more": false });
            object.insert(name.to_owned(), list);
        }
        self
    }

    /// The earlier values of the changed fields.
    #[must_use]
    pub fn previous(&self) -> Option<Document<'_>> {
        match &self.content {
            Content::Snapshot { previous, .. } => previous.as_ref().map(Document::new),
            Content::Thin => None,
        }
    }
}

fn snapshot(event: Document<'_>) -> Option<Content> {
    let object = event.find("data.object")?.to_value()?;
    let previous = event.find("data.previous_attributes").and_then(Document::to_value);
    Some(Content::Snapshot { object, previous })
}
