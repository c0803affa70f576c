//! How are webhook endpoints made and changed, and which deliveries did not arrive?

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use stripe_client_core::StripeRequest;
use stripe_core::event::ListEvent;
use stripe_misc::webhook_endpoint::{CreateWebhookEndpoint, ListWebhookEndpoint, UpdateWebhookEndpoint};
use stripe_shared::ApiVersion;

use super::{
    super::super::{Change, StripeCall},
    Identified, PAGE_LENGTH, SetupPage, word,
};

/// The version of Stripe's API for requests, and for events unless another one is set.
pub const API_VERSION: &str = "2026-09-30.endive";

#[derive(Clone, Debug, Default)]
pub struct ListEndpoints {
    pub after: Option<String>,
}

/// Makes an endpoint whose events have one version of Stripe's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MakeEndpoint {
    pub url: String,
    pub types: Vec<&'static str>,
    pub metadata: BTreeMap<String, String>,
    pub version: String,
}

/// Changes an endpoint. `None`: stays as it is. The version of an endpoint cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeEndpoint {
    pub id: String,
    pub enabled: Option<bool>,
    pub types: Option<Vec<&'static str>>,
}

/// An existing endpoint. Not `Debug`, since it may have a secret.
#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct ExistingEndpoint {
    pub id: String,
    pub url: String,
    pub status: String,
    /// `None`: the Stripe account's default version.
    pub api_version: Option<String>,
    pub enabled_events: Vec<String>,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    /// The signing secret, which is only returned when the endpoint is made.
    pub secret: Option<String>,
}

/// The newest events of the last thirty days that an endpoint has not accepted. One page of them.
#[derive(Clone, Debug)]
pub struct ListEvents;

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct Undelivered {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// In seconds since 1970.
    pub created: i64,
}

impl ExistingEndpoint {
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    #[must_use]
    pub fn is_pinned(&self, version: &str) -> bool {
        self.api_version.as_deref() == Some(version)
    }
}

impl Identified for ExistingEndpoint {
    fn id(&self) -> &str {
        &self.id
    }
}

impl StripeCall for ListEndpoints {
    type Answer = SetupPage<ExistingEndpoint>;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListWebhookEndpoint::new().limit(PAGE_LENGTH);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}

impl StripeCall for MakeEndpoint {
    type Answer = ExistingEndpoint;

    fn request(&self) -> impl StripeRequest + Send {
        let types: Vec<_> = self.types.iter().map(|kind| word(kind)).collect();
        let metadata: HashMap<String, String> = self.metadata.clone().into_iter().collect();
        CreateWebhookEndpoint::new(types, self.url.as_str())
            .api_version(word::<ApiVersion>(&self.version))
            .metadata(metadata)
    }
}

impl Change for MakeEndpoint {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for ChangeEndpoint {
    type Answer = ExistingEndpoint;

    fn request(&self) -> impl StripeRequest + Send {
        let mut update = UpdateWebhookEndpoint::new(self.id.as_str());
        if let Some(enabled) = self.enabled {
            update = update.disabled(!enabled);
        }
        if let Some(types) = &self.types {
            update = update.enabled_events(types.iter().map(|kind| word(kind)).collect::<Vec<_>>());
        }
        update
    }
}

impl StripeCall for ListEvents {
    type Answer = SetupPage<Undelivered>;

    fn request(&self) -> impl StripeRequest + Send {
        ListEvent::new().delivery_success(false).limit(PAGE_LENGTH)
    }
}
