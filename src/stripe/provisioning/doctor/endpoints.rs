//! Does Stripe send this server every event, in a version that it reads, and only once?

use super::{Code, Level, finding::Findings};
use crate::{
    domain::time::Timestamp,
    stripe::{
        client::setup::{ExistingEndpoint, Undelivered},
        provisioning::setup::{DesiredState, types},
        translate::kinds,
    },
};

/// After how many seconds an event should have arrived.
const DELIVERED_AFTER_S: i64 = 300;
/// The webhook path of every server.
const PATH: &str = "/v1/webhooks/stripe";
/// The wildcard for all types of events.
const EVERYTHING: &str = "*";

pub(super) fn check(endpoints: &[ExistingEndpoint], wanted: &DesiredState, findings: &mut Findings) {
    let ours: Vec<&ExistingEndpoint> = endpoints.iter().filter(|kept| is_ours(kept, wanted)).collect();
    if ours.is_empty() {
        let url = wanted.url.as_deref().unwrap_or("this server (say its --url)");
        let found = format!("there is no webhook endpoint for {url}");
        return findings.error(Code::Endpoint, found, "run `counterfoil stripe setup --url …`");
    }
    findings.ok(Code::Endpoint, ours.iter().map(|kept| kept.url.as_str()).collect::<Vec<_>>().join(", "));
    let enabled: Vec<&ExistingEndpoint> = ours.iter().copied().filter(|kept| kept.is_enabled()).collect();
    if enabled.is_empty() {
        let found = format!("{} is disabled: Stripe tells this server nothing", ids(&ours));
        let advice = "mend why its deliveries failed, run `counterfoil stripe setup --url …`, \
                      and make up for what it has missed: `counterfoil stripe reconcile --repair`";
        findings.error(Code::EndpointEnabled, found, advice);
    } else {
        findings.ok(Code::EndpointEnabled, format!("{} is enabled", ids(&enabled)));
    }
    let told = if enabled.is_empty() { ours } else { enabled };
    check_single(&told, findings);
    check_versions(&told, &wanted.api_version, findings);
    check_types(&told, findings);
}

/// Whether the endpoint has the given URL; if none was given, whether it has the server's path.
fn is_ours(kept: &ExistingEndpoint, wanted: &DesiredState) -> bool {
    match &wanted.url {
        Some(url) => kept.url == *url,
        None => wanted.owns(&kept.metadata) || kept.url.ends_with(PATH),
    }
}

fn check_single(told: &[&ExistingEndpoint], findings: &mut Findings) {
    if told.len() < 2 {
        return findings.ok(Code::EndpointSingle, "every event is sent once");
    }
    let found =
        format!("{} are enabled: every event is sent {} times, and counts once", ids(told), told.len());
    let advice = "run `counterfoil stripe setup --url … --retire` once the new secret is set; \
                  for several servers, say which one is meant with --url";
    findings.warn(Code::EndpointSingle, found, advice);
}

/// All versions are read, but a mix of them is hard to follow.
fn check_versions(told: &[&ExistingEndpoint], wanted: &str, findings: &mut Findings) {
    let other = told.iter().filter(|kept| !kept.is_pinned(wanted)).map(|kept| {
        let version = kept.api_version.as_deref().unwrap_or("the version of the account");
        format!("{} sends events of {version}, not {wanted}", kept.id)
    });
    let other: Vec<String> = other.collect();
    let advice = "run `counterfoil stripe setup --url …`, which makes an endpoint of this version beside it";
    let well = format!("events are of {wanted}");
    findings.all(Code::EndpointVersion, Level::Warning, &other, advice, well);
}

fn check_types(told: &[&ExistingEndpoint], findings: &mut Findings) {
    let wanted = types();
    let (mut missing, mut superfluous) = (Vec::new(), Vec::new());
    for kept in told {
        let has = |kind: &str| kept.enabled_events.iter().any(|has| has == kind || has == EVERYTHING);
        let lacks: Vec<&str> = wanted.iter().copied().filter(|kind| !has(kind)).collect();
        if !lacks.is_empty() {
            missing.push(format!("{} does not ask for {}", kept.id, lacks.join(", ")));
        }
        let more = kept.enabled_events.iter().map(String::as_str).filter(|kind| !wanted.contains(kind));
        let more: Vec<&str> = more.collect();
        if !more.is_empty() {
            superfluous.push(format!("{} also asks for {}", kept.id, more.join(", ")));
        }
    }
    let advice = "run `counterfoil stripe setup --url …`";
    let well = format!("{} types of events are asked for", wanted.len());
    findings.all(Code::EventTypes, Level::Error, &missing, advice, well);
    findings.all(Code::EventTypesSuperfluous, Level::Warning, &superfluous, advice, "and no others");
}

/// Stripe does not say which endpoint an event has not reached, so only types that the server needs count.
pub(super) fn check_deliveries(undelivered: &[Undelivered], now: Timestamp, findings: &mut Findings) {
    let before = now.seconds().saturating_sub(DELIVERED_AFTER_S);
    let late = undelivered.iter().filter(|event| {
        event.created < before && kinds::find(&event.kind).is_some_and(|kind| kind.is_subscribed)
    });
    let Some(oldest) = late.clone().next_back() else {
        return findings.ok(Code::Deliveries, "every event has arrived");
    };
    let since = Timestamp::from_seconds(oldest.created).map(|at| format!(" of {at}")).unwrap_or_default();
    let found = format!("{} events have not arrived, from {}{since} on", late.count(), oldest.id);
    let advice = "look at the endpoint's failed deliveries in Stripe's dashboard: what this server answers stands there; \
                  `counterfoil stripe reconcile --repair` makes up for them";
    findings.warn(Code::Deliveries, found, advice);
}

fn ids(endpoints: &[&ExistingEndpoint]) -> String {
    endpoints.iter().map(|kept| kept.id.as_str()).collect::<Vec<_>>().join(", ")
}
