//! Does the portal offer what the catalog sells, and nothing else?

use std::collections::BTreeMap;

use super::{Code, finding::Findings};
use crate::stripe::{
    client::setup::{ExistingPortal, PortalOffer},
    provisioning::setup::{ActualOffers, DesiredState},
};

const SETUP: &str = "run `counterfoil stripe setup`, and set what it prints";

pub(super) fn check(
    portals: &[ExistingPortal],
    sold: &ActualOffers,
    wanted: &DesiredState,
    findings: &mut Findings,
) {
    if !wanted.offers.iter().any(|offer| offer.is_plan) {
        return;
    }
    let Some(id) = &wanted.portal else {
        let found = "STRIPE_PORTAL_CONFIGURATION is not set: the portal offers what the Stripe account has by default";
        return findings.warn(Code::Portal, found, SETUP);
    };
    let Some(kept) = portals.iter().find(|portal| portal.id == *id) else {
        let found = format!("{id} (STRIPE_PORTAL_CONFIGURATION) is not at Stripe");
        return findings.error(Code::Portal, found, SETUP);
    };
    findings.ok(Code::Portal, format!("{id} is at Stripe"));
    if !kept.active {
        return findings.error(Code::PortalActive, format!("{id} is not active"), SETUP);
    }
    findings.ok(Code::PortalActive, format!("{id} is active"));
    // If a price does not exist, another finding says so.
    let Some(offer) = offer(sold, wanted) else { return };
    if kept.offer().as_ref() == Some(&offer) {
        return findings.ok(Code::PortalOffer, format!("{} plans, as in the catalog", offer.products.len()));
    }
    findings.error(Code::PortalOffer, format!("{id} does not offer exactly what the catalog says"), SETUP);
}

/// What the catalog sells, by the ids for new sales.
fn offer(sold: &ActualOffers, wanted: &DesiredState) -> Option<PortalOffer> {
    let mut products: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for price in wanted.offers.iter().filter(|offer| offer.is_plan).flat_map(|offer| &offer.prices) {
        let kept = sold.prices.get(price.configured.first()?)?;
        products.entry(kept.product.clone()).or_default().push(kept.id.clone());
    }
    products.values_mut().for_each(|prices| prices.sort());
    Some(PortalOffer {
        products,
        proration: wanted.proration.clone(),
        cancellation: wanted.cancellation.clone(),
        less_at_period_end: wanted.less_at_period_end,
    })
}
