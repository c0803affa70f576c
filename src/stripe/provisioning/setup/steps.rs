//! Which steps does a setup have?

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    actual::ActualOffers,
    desired::{DesiredPrice, EarlierPrice, PRICE},
};
use crate::stripe::client::setup::{
    ChangeEndpoint, ChangePrice, ChangeProduct, LookupPriceRequest, LookupPriceResponse, MakeEndpoint,
    NamedProductRequest,
};

/// All objects, in the order of the steps.
#[derive(Clone, Debug, Default)]
pub struct SetupPlan {
    pub steps: Vec<SetupStep>,
    /// The ids that each price has or had, by lookup key, the one for new sales first.
    pub ids: BTreeMap<String, Vec<String>>,
    /// The ids of earlier amounts that have a setting of their own, by setting.
    pub earlier: BTreeMap<String, Vec<String>>,
    /// The existing price for new sales, by lookup key.
    pub current: BTreeMap<String, String>,
}

/// One object at Stripe, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetupStep {
    pub action: Action,
    pub object: SetupObject,
    /// Its name in the catalog, or its URL.
    pub name: String,
    /// Its id at Stripe, if it exists.
    pub id: Option<String>,
    pub because: String,
    #[serde(skip)]
    pub change: Option<SetupChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    /// It stays for those who have it, and is no longer sold.
    Archive,
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupObject {
    Product,
    Price,
    PortalConfiguration,
    WebhookEndpoint,
}

/// The change that is sent to Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupChange {
    MakeProduct(NamedProductRequest),
    ChangeProduct(ChangeProduct),
    MakePrice(LookupPriceRequest),
    ChangePrice(ChangePrice),
    /// Makes the price with a lookup key the default of its product, and archives another one.
    ReplacePrice {
        old: String,
        default_of: Option<String>,
        lookup_key: String,
    },
    /// Sets what the portal offers. Prices are given by lookup key, since some may not exist yet.
    SetPortal {
        id: Option<String>,
        portal: DesiredPortal,
    },
    MakeEndpoint(MakeEndpoint),
    ChangeEndpoint(ChangeEndpoint),
}

/// What the portal should offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredPortal {
    /// Lookup keys, by product.
    pub(super) products: BTreeMap<String, Vec<String>>,
    pub(super) proration: String,
    pub(super) cancellation: String,
    pub(super) less_at_period_end: bool,
}

impl SetupPlan {
    /// Records the ids of earlier amounts, as far as the catalog has a place for them.
    pub(super) fn note_ids<'a>(
        &mut self,
        price: &DesiredPrice,
        prices: impl Iterator<Item = &'a LookupPriceResponse>,
    ) {
        let mut ids = Vec::new();
        for kept in prices {
            match price.earlier(kept) {
                None => ids.push(kept.id.clone()),
                Some(EarlierPrice { setting: Some(setting), .. }) => {
                    self.earlier.entry(setting.clone()).or_default().push(kept.id.clone());
                }
                Some(EarlierPrice { setting: None, .. }) => {}
            }
        }
        self.ids.insert(price.lookup_key.clone(), ids);
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Leave)
    }

    /// How many changes there are.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.steps.iter().filter(|step| step.action != Action::Leave).count()
    }
}

/// The prices at Stripe that are, or were, this one.
pub(super) fn candidates<'a>(
    price: &'a DesiredPrice,
    sold: &'a ActualOffers,
) -> impl Iterator<Item = &'a LookupPriceResponse> + Clone {
    sold.prices.values().filter(|kept| {
        kept.lookup_key.as_ref() == Some(&price.lookup_key)
            || kept.metadata.get(PRICE) == Some(&price.lookup_key)
            || price.ids().any(|id| *id == kept.id)
    })
}

/// The other prices, first the configured ones in their order.
pub(super) fn in_use<'a>(
    price: &DesiredPrice,
    mut others: Vec<&'a LookupPriceResponse>,
) -> Vec<&'a LookupPriceResponse> {
    others.sort_by_key(|kept| price.configured.iter().position(|id| *id == kept.id).unwrap_or(usize::MAX));
    others
}

pub(super) fn archive_because(
    price: &DesiredPrice,
    old: &LookupPriceResponse,
    sold: &ActualOffers,
    because: String,
) -> SetupStep {
    let product = sold.products.get(&old.product);
    let default_of = product.filter(|product| product.default_price.as_ref() == Some(&old.id));
    let change = SetupChange::ReplacePrice {
        old: old.id.clone(),
        default_of: default_of.map(|product| product.id.clone()),
        lookup_key: price.lookup_key.clone(),
    };
    SetupStep {
        action: Action::Archive,
        object: SetupObject::Price,
        name: price.path.clone(),
        id: Some(old.id.clone()),
        because,
        change: Some(change),
    }
}
