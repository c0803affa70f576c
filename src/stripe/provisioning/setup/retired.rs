//! What is done about plans and packs that are no longer sold?

use std::collections::BTreeSet;

use super::{
    actual::ActualOffers,
    desired::{DesiredOffer, DesiredPrice, DesiredState},
    steps::{Action, SetupChange, SetupObject, SetupPlan, SetupStep, archive_because, candidates, in_use},
};
use crate::stripe::client::setup::{ChangeProduct, ExistingProduct, LookupPriceResponse};

const BECAUSE: &str = "it is retired; those who have it keep it";

/// Takes what is no longer sold off sale; those who have it keep it. Nothing is made for it.
pub(super) fn plan_retired(
    wanted: &DesiredState,
    offer: &DesiredOffer,
    sold: &ActualOffers,
    plan: &mut SetupPlan,
    archived: &mut Vec<SetupStep>,
) {
    for price in &offer.prices {
        let kept = in_use(price, candidates(price, sold).collect());
        let on_sale = kept.iter().filter(|old| old.active && !is_default(old, sold));
        archived.extend(on_sale.map(|old| archive_because(price, old, sold, BECAUSE.to_owned())));
        plan.note_ids(price, kept.into_iter());
    }
    archived.extend(own_products(wanted, offer, sold).into_iter().map(|product| archive(offer, product)));
}

/// Whether it is a product's default price, which Stripe does not archive.
/// If its product is archived, it is not sold either.
fn is_default(price: &LookupPriceResponse, sold: &ActualOffers) -> bool {
    sold.products.get(&price.product).is_some_and(|product| product.default_price.as_ref() == Some(&price.id))
}

/// The products on sale that have prices of this offer, and none that is still sold.
fn own_products<'a>(
    wanted: &'a DesiredState,
    offer: &'a DesiredOffer,
    sold: &'a ActualOffers,
) -> Vec<&'a ExistingProduct> {
    let (here, elsewhere) = (products(offer.prices.iter(), sold), products(wanted.prices(), sold));
    let own = here.difference(&elsewhere).filter_map(|id| sold.products.get(*id));
    own.filter(|product| product.active).collect()
}

fn products<'a>(prices: impl Iterator<Item = &'a DesiredPrice>, sold: &'a ActualOffers) -> BTreeSet<&'a str> {
    prices.flat_map(|price| candidates(price, sold)).map(|kept| kept.product.as_str()).collect()
}

fn archive(offer: &DesiredOffer, product: &ExistingProduct) -> SetupStep {
    let change = ChangeProduct { id: product.id.clone(), active: Some(false), ..ChangeProduct::default() };
    SetupStep {
        action: Action::Archive,
        object: SetupObject::Product,
        name: offer.path.clone(),
        id: Some(product.id.clone()),
        because: BECAUSE.to_owned(),
        change: Some(SetupChange::ChangeProduct(change)),
    }
}
