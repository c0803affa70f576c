//! How does Stripe get the products, prices, portal and endpoint that the catalog needs?
//! A plan is shown and carried out, again and again until nothing is left to do.
//!
//! What is retired in the catalog is taken off sale, and stays for those who have it.
//!
//! Deliberately absent: ending what the catalog no longer has, since somebody may still pay for it.

mod actual;
mod apply;
mod desired;
mod endpoints;
mod plan;
mod retired;
mod steps;

use std::collections::BTreeMap;

use serde::Serialize;

pub use actual::{ActualOffers, ActualState, find, find_endpoints, find_portals, find_sold};
pub use desired::{DesiredOffer, DesiredPrice, DesiredState, EarlierPrice, types};
pub use plan::{PORTAL_PRODUCTS_MAX, choose_portal, plan};
pub use steps::{Action, DesiredPortal, SetupChange, SetupObject, SetupPlan, SetupStep};

use crate::{
    catalog::Mode,
    stripe::client::{CallError, Client},
};
use apply::{Performer, SetupProgress};

/// After how many rounds without an end the setup fails.
const ROUNDS_MAX: usize = 3;

/// The setting with the portal's configuration.
const PORTAL_SETTING: &str = "STRIPE_PORTAL_CONFIGURATION";

/// What was done, and what has to be set now. Not `Debug`, since it may have a secret.
#[derive(Clone, Default, Serialize)]
pub struct SetupReport {
    pub steps: Vec<SetupStep>,
    /// Settings, by name.
    pub settings: BTreeMap<String, String>,
    /// What has to be written into the catalog file, by key.
    pub in_catalog: BTreeMap<String, String>,
    /// The endpoint for the given URL.
    pub endpoint: Option<String>,
    /// The signing secret of a new endpoint, which is only shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
}

/// Why the setup failed. What was done until then stays, and the next setup finds it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(
        "the catalog has prices of {0} products to subscribe to, and Stripe's portal offers {PORTAL_PRODUCTS_MAX} at most"
    )]
    TooManyPlans(usize),
    #[error("what is at Stripe cannot be read: {}", said(.0))]
    Read(CallError),
    #[error("{name}: {}", said(.source))]
    Step { name: String, source: CallError },
    #[error("Stripe does not show what was made; run the setup again in a minute")]
    Restless,
}

impl SetupError {
    /// Whether Stripe refused, so that repeating has the same result.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Read(error) | Self::Step { source: error, .. } => {
                matches!(error, CallError::Rejected(_) | CallError::KeyNotTaken)
            }
            Self::TooManyPlans(_) | Self::Restless => false,
        }
    }
}

/// Why there is no answer, with Stripe's codes and without its messages.
fn said(error: &CallError) -> String {
    match error {
        CallError::Rejected(why) => {
            let code = why.code.as_deref().unwrap_or(&why.kind);
            let about = why.parameter.as_ref().map(|parameter| format!(" ({parameter})")).unwrap_or_default();
            format!("Stripe refused it: {code}{about}")
        }
        CallError::OutcomeUnknown => {
            "whether Stripe did it is not known; run the setup again, nothing is done twice".to_owned()
        }
        CallError::KeyNotTaken => {
            "Stripe does not accept the key, or it has not the rights: see `stripe doctor`".to_owned()
        }
        CallError::Unavailable => error.to_string(),
    }
}

/// Reads what exists, and compares. Nothing is changed.
///
/// # Errors
/// If Stripe refuses or does not answer.
pub async fn prepare(client: &Client, wanted: &DesiredState, retire: bool) -> Result<SetupPlan, SetupError> {
    let plans = wanted.offers.iter().filter(|offer| offer.is_plan).count();
    if plans > PORTAL_PRODUCTS_MAX {
        return Err(SetupError::TooManyPlans(plans));
    }
    let found = find(client, wanted).await.map_err(SetupError::Read)?;
    Ok(plan(wanted, &found, retire))
}

/// Carries a plan out, and makes it again, until nothing is left to do. `tell` is called for each step.
///
/// # Errors
/// If Stripe refuses or does not answer. There is a report all the same, so that a new endpoint's secret is not lost.
pub async fn set_up(
    client: &Client,
    wanted: &DesiredState,
    first: SetupPlan,
    retire: bool,
    tell: &(dyn Fn(&SetupStep) + Sync),
) -> (SetupReport, Result<(), SetupError>) {
    let mut report = SetupReport { steps: first.steps.clone(), ..SetupReport::default() };
    let mut plan = first;
    for round in 0..ROUNDS_MAX {
        let performer = Performer { client, wanted, round };
        if let Err(error) = carry_out(&performer, &plan, &mut report, tell).await {
            return (report, Err(error));
        }
        plan = match prepare(client, wanted, retire).await {
            Ok(plan) => plan,
            Err(error) => return (report, Err(error)),
        };
        if plan.is_done() {
            report.settle(wanted, &plan);
            return (report, Ok(()));
        }
    }
    (report, Err(SetupError::Restless))
}

async fn carry_out(
    performer: &Performer<'_>,
    plan: &SetupPlan,
    report: &mut SetupReport,
    tell: &(dyn Fn(&SetupStep) + Sync),
) -> Result<(), SetupError> {
    let mut done = SetupProgress { current: plan.current.clone(), secret: None };
    for step in plan.steps.iter().filter(|step| step.action != Action::Leave) {
        let named = |source| SetupError::Step { name: format!("{} {}", step.object, step.name), source };
        let id = performer.perform(step, &mut done).await.map_err(named)?;
        if let Some(told) = report.steps.iter_mut().find(|told| *told == step) {
            told.id = id;
        }
        report.webhook_secret = done.secret.take().or(report.webhook_secret.take());
        tell(step);
    }
    Ok(())
}

impl SetupReport {
    /// The report when nothing is left to do.
    #[must_use]
    pub fn of(wanted: &DesiredState, plan: &SetupPlan) -> Self {
        let mut report = Self { steps: plan.steps.clone(), ..Self::default() };
        report.settle(wanted, plan);
        report
    }

    fn settle(&mut self, wanted: &DesiredState, plan: &SetupPlan) {
        let of = |object: SetupObject| plan.steps.iter().find(|step| step.object == object);
        for price in wanted.retired.iter().flat_map(|offer| &offer.prices) {
            let ids = plan.ids.get(&price.lookup_key).filter(|ids| !ids.is_empty());
            self.settings.extend(price.setting.clone().zip(ids.map(|ids| ids.join(","))));
        }
        for offer in &wanted.offers {
            let product = offer.product_given.as_ref().unwrap_or(&offer.product_own);
            self.settings.extend(offer.product_setting.clone().map(|setting| (setting, product.clone())));
        }
        let earlier = plan.earlier.iter().map(|(setting, ids)| (setting.clone(), ids.join(",")));
        self.settings.extend(earlier);
        for price in wanted.prices() {
            let Some(ids) = plan.ids.get(&price.lookup_key) else { continue };
            if let Some(setting) = &price.setting {
                self.settings.insert(setting.clone(), ids.join(","));
            } else if price.configured != *ids {
                self.in_catalog.extend(written(price, wanted.mode, ids));
            }
        }
        if let Some(portal) = of(SetupObject::PortalConfiguration).and_then(|step| step.id.clone()) {
            self.settings.insert(PORTAL_SETTING.to_owned(), portal);
        }
        self.endpoint = of(SetupObject::WebhookEndpoint).and_then(|step| step.id.clone());
    }
}

/// The id for new sales, and those that webhooks may still name.
fn written(price: &DesiredPrice, mode: Mode, ids: &[String]) -> BTreeMap<String, String> {
    let place = format!("{}.stripe", price.path);
    let mut ids = ids.iter().map(|id| format!("\"{id}\""));
    let current = ids.next().map(|id| (format!("{place}.{mode}.price"), id));
    let retired: Vec<String> = ids.collect();
    let retired =
        (!retired.is_empty()).then(|| (format!("{place}.retired"), format!("[{}]", retired.join(", "))));
    current.into_iter().chain(retired).collect()
}

impl std::fmt::Display for SetupObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Product => "product",
            Self::Price => "price",
            Self::PortalConfiguration => "portal configuration",
            Self::WebhookEndpoint => "webhook endpoint",
        })
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Archive => "archive",
            Self::Leave => "leave",
        })
    }
}
