//! Which endpoint sends events to a server, and what is done about others with the same URL?

use super::{
    desired::{DesiredState, types},
    steps::{Action, SetupChange, SetupObject, SetupStep},
};
use crate::stripe::client::setup::{ChangeEndpoint, ExistingEndpoint, MakeEndpoint};

/// The steps for the endpoint of a URL, and for others with the same URL.
pub(super) fn plan_endpoints(
    wanted: &DesiredState,
    url: &str,
    endpoints: &[ExistingEndpoint],
    retire: bool,
) -> Vec<SetupStep> {
    let step = |action, id: Option<&ExistingEndpoint>, because: String, change| SetupStep {
        action,
        object: SetupObject::WebhookEndpoint,
        name: url.to_owned(),
        id: id.map(|kept| kept.id.clone()),
        because,
        change,
    };
    let here: Vec<&ExistingEndpoint> = endpoints.iter().filter(|kept| kept.url == url).collect();
    let pinned = here.iter().copied().filter(|kept| kept.is_pinned(&wanted.api_version));
    let Some(kept) = pinned.max_by_key(|kept| kept.is_enabled()) else {
        let (metadata, url) = (wanted.metadata(), url.to_owned());
        let made = MakeEndpoint { url, types: types(), metadata, version: wanted.api_version.clone() };
        let because = format!("events of version {}, {} types", made.version, made.types.len());
        let mut steps = vec![step(Action::Create, None, because, Some(SetupChange::MakeEndpoint(made)))];
        steps.extend(here.into_iter().map(|other| plan_other_endpoint(&step, other, retire)));
        return steps;
    };
    let mut change = ChangeEndpoint { id: kept.id.clone(), ..ChangeEndpoint::default() };
    let mut because = Vec::new();
    if !kept.is_enabled() {
        change.enabled = Some(true);
        because.push("it is disabled");
    }
    if !asks_for_all(kept) {
        change.types = Some(types());
        because.push("it does not ask for exactly the types that are read");
    }
    let mut steps = vec![if because.is_empty() {
        let because = format!("events of version {}, {} types", wanted.api_version, types().len());
        step(Action::Leave, Some(kept), because, None)
    } else {
        step(Action::Update, Some(kept), because.join("; "), Some(SetupChange::ChangeEndpoint(change)))
    }];
    let others = here.into_iter().filter(|other| other.id != kept.id);
    steps.extend(others.map(|other| plan_other_endpoint(&step, other, retire)));
    steps
}

/// The step for another endpoint that sends the same events.
/// It stays enabled until `--retire` says that the new secret is in use, so that no delivery is refused in between.
fn plan_other_endpoint(
    step: &impl Fn(Action, Option<&ExistingEndpoint>, String, Option<SetupChange>) -> SetupStep,
    other: &ExistingEndpoint,
    retire: bool,
) -> SetupStep {
    let version = other.api_version.as_deref().unwrap_or("the account's version");
    if retire && other.is_enabled() {
        let change = ChangeEndpoint { id: other.id.clone(), enabled: Some(false), types: None };
        let because = format!("another endpoint of the same address, of {version}; it is disabled");
        return step(Action::Update, Some(other), because, Some(SetupChange::ChangeEndpoint(change)));
    }
    let because = if other.is_enabled() {
        format!("another endpoint of the same address, of {version}; --retire disables it")
    } else {
        format!("disabled already; of {version}")
    };
    step(Action::Leave, Some(other), because, None)
}

fn asks_for_all(kept: &ExistingEndpoint) -> bool {
    let mut has: Vec<&str> = kept.enabled_events.iter().map(String::as_str).collect();
    let mut wants = types();
    has.sort_unstable();
    wants.sort_unstable();
    has == wants
}
