//! What has to be done so that Stripe has what the catalog says? This is a comparison without calls to Stripe.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    actual::{ActualOffers, ActualState},
    desired::{DesiredOffer, DesiredPrice, DesiredState},
    endpoints::plan_endpoints,
    retired::plan_retired,
    steps::{
        Action, DesiredPortal, SetupChange, SetupObject, SetupPlan, SetupStep, archive_because, candidates,
        in_use,
    },
};
use crate::stripe::client::setup::{
    ChangePrice, ChangeProduct, ExistingPortal, LookupPriceRequest, LookupPriceResponse, NamedProductRequest,
    PortalOffer,
};

/// The most products that Stripe's portal can offer.
pub const PORTAL_PRODUCTS_MAX: usize = 10;

/// Compares. `retire`: whether other endpoints with the same URL are disabled.
#[must_use]
pub fn plan(wanted: &DesiredState, found: &ActualState, retire: bool) -> SetupPlan {
    let mut plan = SetupPlan::default();
    let mut portal = BTreeMap::new();
    let mut archived = Vec::new();
    for offer in &wanted.offers {
        plan_offer(wanted, offer, &found.sold, &mut plan, &mut archived, &mut portal);
    }
    for offer in &wanted.retired {
        plan_retired(wanted, offer, &found.sold, &mut plan, &mut archived);
    }
    if !portal.is_empty() {
        let portal = DesiredPortal {
            products: portal,
            proration: wanted.proration.clone(),
            cancellation: wanted.cancellation.clone(),
            less_at_period_end: wanted.less_at_period_end,
        };
        let step = plan_portal(wanted, found, portal, &plan.current);
        plan.steps.push(step);
    }
    // A price is archived after the portal has stopped offering it.
    plan.steps.append(&mut archived);
    if let Some(url) = &wanted.url {
        plan.steps.extend(plan_endpoints(wanted, url, &found.endpoints, retire));
    }
    plan
}

fn plan_offer(
    wanted: &DesiredState,
    offer: &DesiredOffer,
    sold: &ActualOffers,
    plan: &mut SetupPlan,
    archived: &mut Vec<SetupStep>,
    portal: &mut BTreeMap<String, Vec<String>>,
) {
    let of_sibling =
        offer.prices.iter().find_map(|price| choose(offer, price, sold)).map(|kept| kept.product.clone());
    let product = offer.product_given.clone().or(of_sibling).unwrap_or_else(|| offer.product_own.clone());
    let mut products: Vec<String> = if offer.prices.is_empty() { vec![product.clone()] } else { Vec::new() };
    let mut prices = Vec::new();
    for price in &offer.prices {
        let kept = choose(offer, price, sold);
        let of = kept.map_or(&product, |kept| &kept.product);
        if !products.contains(of) {
            products.push(of.clone());
        }
        if offer.is_plan {
            portal.entry(of.clone()).or_default().push(price.lookup_key.clone());
        }
        let holder = sold.prices.values().find(|kept| kept.lookup_key.as_ref() == Some(&price.lookup_key));
        prices.push(match kept {
            Some(kept) => plan_known_price(wanted, price, kept),
            None => plan_new_price(wanted, price, &product, holder),
        });
        let others = candidates(price, sold).filter(|other| Some(*other) != kept);
        let ours = |other: &&LookupPriceResponse| {
            wanted.owns(&other.metadata) || Some(*other) == holder || price.earlier(other).is_some()
        };
        archived.extend(
            others.clone().filter(|other| other.active).filter(ours).map(|old| archive(price, old, sold)),
        );
        let ids = kept.into_iter().chain(in_use(price, others.collect()));
        plan.note_ids(price, ids);
        plan.current.extend(kept.map(|kept| (price.lookup_key.clone(), kept.id.clone())));
    }
    plan.steps.extend(products.iter().map(|id| plan_product(wanted, offer, id, sold)));
    plan.steps.append(&mut prices);
}

/// The price at Stripe for a price of the catalog: of those with its terms the one with the lookup key, else one that
/// is on sale, else the first configured one.
fn choose<'a>(
    offer: &'a DesiredOffer,
    price: &'a DesiredPrice,
    sold: &'a ActualOffers,
) -> Option<&'a LookupPriceResponse> {
    let fits = |kept: &&LookupPriceResponse| {
        let at_home = offer.product_given.as_ref().is_none_or(|given| *given == kept.product);
        at_home && price.differs(kept).is_none()
    };
    candidates(price, sold).filter(fits).max_by_key(|kept| {
        let place = price.configured.iter().position(|id| *id == kept.id).unwrap_or(usize::MAX);
        (kept.lookup_key.as_ref() == Some(&price.lookup_key), kept.active, Reverse(place))
    })
}

fn plan_product(wanted: &DesiredState, offer: &DesiredOffer, id: &str, sold: &ActualOffers) -> SetupStep {
    let step = |action, because: String, change| SetupStep {
        action,
        object: SetupObject::Product,
        name: offer.path.clone(),
        id: (action != Action::Create).then(|| id.to_owned()),
        because,
        change,
    };
    let Some(kept) = sold.products.get(id) else {
        let made =
            NamedProductRequest { id: id.to_owned(), name: offer.name.clone(), metadata: wanted.metadata() };
        return step(Action::Create, format!("as {id}"), Some(SetupChange::MakeProduct(made)));
    };
    // Products that people have made by hand keep their names.
    let renamed = wanted.owns(&kept.metadata) && kept.name != offer.name;
    let mut change = ChangeProduct { id: id.to_owned(), ..ChangeProduct::default() };
    let mut because = Vec::new();
    if !kept.active {
        change.active = Some(true);
        because.push("it is archived".to_owned());
    }
    if renamed {
        change.name = Some(offer.name.clone());
        because.push(format!("it is called {}, in the catalog {}", kept.name, offer.name));
    }
    if because.is_empty() {
        return step(Action::Leave, kept.name.clone(), None);
    }
    step(Action::Update, because.join("; "), Some(SetupChange::ChangeProduct(change)))
}

fn plan_known_price(wanted: &DesiredState, price: &DesiredPrice, kept: &LookupPriceResponse) -> SetupStep {
    let mut change = ChangePrice { id: kept.id.clone(), ..ChangePrice::default() };
    let mut because = Vec::new();
    if !kept.active {
        change.active = Some(true);
        because.push("it is archived");
    }
    if kept.lookup_key.as_ref() != Some(&price.lookup_key) {
        change.lookup_key = Some(price.lookup_key.clone());
        because.push("it is not found by its lookup key");
    }
    let metadata = price.metadata(wanted);
    if metadata.iter().any(|(name, value)| kept.metadata.get(name) != Some(value)) {
        change.metadata = metadata;
        because.push("it does not say what it is the price of");
    }
    let action = if because.is_empty() { Action::Leave } else { Action::Update };
    let because = if because.is_empty() { price.terms() } else { because.join("; ") };
    SetupStep {
        action,
        object: SetupObject::Price,
        name: price.path.clone(),
        id: Some(kept.id.clone()),
        because,
        change: (action == Action::Update).then_some(SetupChange::ChangePrice(change)),
    }
}

fn plan_new_price(
    wanted: &DesiredState,
    price: &DesiredPrice,
    product: &str,
    holder: Option<&LookupPriceResponse>,
) -> SetupStep {
    let because = match holder {
        Some(old) => format!("{}, in place of {}", price.terms(), old.id),
        None => price.terms(),
    };
    let made = LookupPriceRequest {
        product: product.to_owned(),
        currency: price.amount.currency.as_str().to_owned(),
        minor: price.amount.minor,
        interval: price.interval,
        lookup_key: price.lookup_key.clone(),
        metadata: price.metadata(wanted),
        replaces: holder.map(|old| old.id.clone()),
    };
    let name = price.path.clone();
    let change = Some(SetupChange::MakePrice(made));
    SetupStep { action: Action::Create, object: SetupObject::Price, name, id: None, because, change }
}

fn archive(price: &DesiredPrice, old: &LookupPriceResponse, sold: &ActualOffers) -> SetupStep {
    let differs = price.differs(old).unwrap_or_else(|| "there is another one".to_owned());
    let because = format!("{differs}; subscriptions that have it keep it, and it still stands for the plan");
    archive_because(price, old, sold, because)
}

impl DesiredPortal {
    /// The offer with ids. `None`: a price does not have one yet.
    #[must_use]
    pub fn offer(&self, current: &BTreeMap<String, String>) -> Option<PortalOffer> {
        let ids = |keys: &Vec<String>| -> Option<Vec<String>> {
            let mut ids: Vec<String> =
                keys.iter().map(|key| current.get(key).cloned()).collect::<Option<_>>()?;
            ids.sort();
            Some(ids)
        };
        let products = self.products.iter().map(|(product, keys)| Some((product.clone(), ids(keys)?)));
        Some(PortalOffer {
            products: products.collect::<Option<_>>()?,
            proration: self.proration.clone(),
            cancellation: self.cancellation.clone(),
            less_at_period_end: self.less_at_period_end,
        })
    }
}

/// The configured portal configuration, or else one that a setup has made.
#[must_use]
pub fn choose_portal<'a>(wanted: &DesiredState, portals: &'a [ExistingPortal]) -> Option<&'a ExistingPortal> {
    let configured = portals.iter().find(|portal| Some(&portal.id) == wanted.portal.as_ref());
    configured.or_else(|| {
        let mut ours = portals.iter().filter(|portal| wanted.owns(&portal.metadata));
        ours.clone().find(|portal| portal.active).or_else(|| ours.next())
    })
}

fn plan_portal(
    wanted: &DesiredState,
    found: &ActualState,
    portal: DesiredPortal,
    current: &BTreeMap<String, String>,
) -> SetupStep {
    let kept = choose_portal(wanted, &found.portals);
    let because = match kept {
        None => Some(format!("offers {} plans", portal.products.len())),
        Some(kept) if !kept.active => Some("it is not active".to_owned()),
        Some(kept) if kept.offer() != portal.offer(current) => {
            Some("it does not offer exactly what the catalog says".to_owned())
        }
        Some(_) => None,
    };
    let action = match (kept, &because) {
        (None, _) => Action::Create,
        (Some(_), Some(_)) => Action::Update,
        (Some(_), None) => Action::Leave,
    };
    let id = kept.map(|kept| kept.id.clone());
    SetupStep {
        action,
        object: SetupObject::PortalConfiguration,
        name: wanted.owner.clone(),
        because: because.clone().unwrap_or_else(|| format!("offers {} plans", portal.products.len())),
        change: because.map(|_| SetupChange::SetPortal { id: id.clone(), portal }),
        id,
    }
}
