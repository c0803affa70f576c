//! Is Stripe set up so that what is sold is granted? Each check says what it found, and what to do if that is wrong.
//!
//! Deliberately absent: repairs. `stripe setup` makes them, and says beforehand what it will do.

mod endpoints;
mod finding;
mod portal;
mod sold;

use crate::{
    catalog::Mode,
    clock::Clock,
    domain::time::Timestamp,
    stripe::{
        client::{
            ApiUrl, CallError, Client,
            setup::{ExistingEndpoint, ExistingPortal, ListEvents, Undelivered},
        },
        inbound::signature::TOLERANCE_S,
        provisioning::setup::{ActualOffers, DesiredState, find_endpoints, find_portals, find_sold},
    },
};

use finding::Findings;
pub use finding::{Code, DoctorFinding, Level};

/// From how many seconds of difference on the clocks get a warning. From [`TOLERANCE_S`] on, every webhook is refused.
pub const CLOCK_WARNING_S: i64 = 30;

/// What this deployment assumes.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub mode: Mode,
    pub wanted: DesiredState,
    /// Whether there is a secret to verify webhooks with.
    pub verifies: bool,
}

/// What Stripe answered. `None`: the key does not have that right.
struct DoctorFacts {
    sold: Option<ActualOffers>,
    portals: Option<Vec<ExistingPortal>>,
    endpoints: Option<Vec<ExistingEndpoint>>,
    undelivered: Option<Vec<Undelivered>>,
    /// Our time and Stripe's.
    times: Option<(Timestamp, Timestamp)>,
}

/// Runs all checks. The findings are in a fixed order; a check that is not possible is left out.
///
/// # Errors
/// If Stripe does not answer, or refuses for another reason than the key.
pub async fn examine(
    client: &Client,
    api: &ApiUrl,
    clock: &Clock,
    deployed: &Deployed,
) -> Result<Vec<DoctorFinding>, CallError> {
    let facts = DoctorFacts {
        sold: allowed(find_sold(client, &deployed.wanted).await)?,
        portals: allowed(find_portals(client).await)?,
        endpoints: allowed(find_endpoints(client).await)?,
        undelivered: allowed(client.read(&ListEvents).await)?.map(|page| page.data),
        times: api.date().await.map(|theirs| (clock.now(), theirs)),
    };
    let mut findings = Findings::default();
    check_key(&facts, &mut findings);
    check_clock(facts.times, &mut findings);
    check_mode(&facts, deployed.mode, &mut findings);
    if let Some(sold) = &facts.sold {
        sold::check(sold, &deployed.wanted, &mut findings);
    }
    if let (Some(portals), Some(sold)) = (&facts.portals, &facts.sold) {
        portal::check(portals, sold, &deployed.wanted, &mut findings);
    }
    check_secret(deployed.verifies, &mut findings);
    if let Some(endpoints) = &facts.endpoints {
        endpoints::check(endpoints, &deployed.wanted, &mut findings);
    }
    if let Some(undelivered) = &facts.undelivered {
        endpoints::check_deliveries(undelivered, clock.now(), &mut findings);
    }
    Ok(findings.0)
}

fn allowed<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError::KeyNotTaken) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A key without any right is not valid; one with some rights is restricted.
fn check_key(facts: &DoctorFacts, findings: &mut Findings) {
    let parts = [
        ("products and prices", facts.sold.is_some()),
        ("portal configurations", facts.portals.is_some()),
        ("webhook endpoints", facts.endpoints.is_some()),
        ("events", facts.undelivered.is_some()),
    ];
    let refused: Vec<&str> = parts.iter().filter(|(_, allowed)| !allowed).map(|(name, _)| *name).collect();
    if refused.len() == parts.len() {
        let advice = "make a new key in Stripe's dashboard, and set it as STRIPE_SECRET_KEY";
        return findings.error(Code::Key, "Stripe does not accept the key", advice);
    }
    findings.ok(Code::Key, "Stripe accepts the key");
    if refused.is_empty() {
        return findings.ok(Code::Rights, "it may read all that is checked");
    }
    let found = format!("the key may not read {}", refused.join(", "));
    findings.error(Code::Rights, found, "give the restricted key these rights in Stripe's dashboard");
}

fn check_clock(times: Option<(Timestamp, Timestamp)>, findings: &mut Findings) {
    let Some((ours, theirs)) = times else {
        return findings.warn(Code::Clock, "Stripe does not say what time it is", "try again");
    };
    let ahead_s = ours.seconds().saturating_sub(theirs.seconds());
    let found = match ahead_s {
        0.. => format!("this clock is {ahead_s} s ahead of Stripe's"),
        _ => format!("this clock is {} s behind Stripe's", ahead_s.saturating_neg()),
    };
    let advice = format!("let the clock be set by NTP; from {TOLERANCE_S} s on, every webhook is refused");
    match ahead_s.saturating_abs() {
        TOLERANCE_S.. => findings.error(Code::Clock, found, advice),
        CLOCK_WARNING_S.. => findings.warn(Code::Clock, found, advice),
        _ => findings.ok(Code::Clock, found),
    }
}

/// Everything that a key shows is of its own mode.
fn check_mode(facts: &DoctorFacts, mode: Mode, findings: &mut Findings) {
    let live = |livemode: bool| livemode == (mode == Mode::Live);
    let sold = facts.sold.iter().flat_map(|sold| sold.products.values().map(|product| product.livemode));
    let portals = facts.portals.iter().flatten().map(|portal| portal.livemode);
    let endpoints = facts.endpoints.iter().flatten().map(|endpoint| endpoint.livemode);
    if sold.chain(portals).chain(endpoints).all(live) {
        return findings.ok(Code::Mode, format!("{mode}, as this deployment"));
    }
    let found = format!("what the key shows is {}, and this deployment is {mode}", mode.other());
    findings.error(Code::Mode, found, "set STRIPE_SECRET_KEY and COUNTERFOIL_MODE to the same mode");
}

fn check_secret(verifies: bool, findings: &mut Findings) {
    if verifies {
        return findings.ok(Code::SigningSecret, "webhooks can be verified");
    }
    let found = "STRIPE_WEBHOOK_SECRET is not set, so every webhook is refused";
    findings.error(Code::SigningSecret, found, "set it to the endpoint's secret, which the dashboard shows");
}
