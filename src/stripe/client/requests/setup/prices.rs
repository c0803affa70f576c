//! How are prices found, made and changed? The amount of a price never changes: another amount needs another price.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use stripe_client_core::StripeRequest;
use stripe_product::price::{
    CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, ListPrice, RetrievePrice, UpdatePrice,
};

use super::{
    super::super::{Change, StripeCall},
    Identified, PAGE_LENGTH, SetupPage,
};
use crate::domain::catalog::Interval;

/// Finds the prices with these lookup keys, of which Stripe accepts ten at a time.
#[derive(Clone, Debug)]
pub struct FindPrices {
    pub lookup_keys: Vec<String>,
}

impl FindPrices {
    pub const KEYS_MAX: usize = 10;
}

#[derive(Clone, Debug)]
pub struct FindPrice {
    pub id: String,
}

/// Lists the prices of a product, including archived ones.
#[derive(Clone, Debug)]
pub struct ListPrices {
    pub product: String,
    pub after: Option<String>,
}

/// Makes a price. The lookup key is moved from the price that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LookupPriceRequest {
    pub product: String,
    pub currency: String,
    pub minor: i64,
    /// `None`: paid once.
    pub interval: Option<Interval>,
    pub lookup_key: String,
    pub metadata: BTreeMap<String, String>,
    /// The price that had the lookup key before, so that changing an amount back and forth is a new request each time.
    pub replaces: Option<String>,
}

/// Changes a price. `None`: stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangePrice {
    pub id: String,
    pub active: Option<bool>,
    pub lookup_key: Option<String>,
    /// Added to the existing metadata.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct LookupPriceResponse {
    pub id: String,
    pub product: String,
    pub active: bool,
    pub livemode: bool,
    pub currency: String,
    /// `None`: the price has tiers, or fractions of a cent.
    pub unit_amount: Option<i64>,
    /// `None`: paid once.
    pub recurring: Option<ExistingRecurrence>,
    pub lookup_key: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct ExistingRecurrence {
    pub interval: String,
    pub interval_count: u64,
    pub usage_type: String,
}

impl LookupPriceResponse {
    /// The interval. `None`: it is paid once, or in a way that no catalog has.
    #[must_use]
    pub fn interval(&self) -> Option<&str> {
        let recurring = self.recurring.as_ref().filter(|recurring| recurring.interval_count == 1);
        recurring.map(|recurring| recurring.interval.as_str())
    }
}

/// Paid once for each interval.
pub(in super::super) fn recurring(interval: Interval) -> CreatePriceRecurring {
    CreatePriceRecurring::new(match interval {
        Interval::Month => CreatePriceRecurringInterval::Month,
        Interval::Year => CreatePriceRecurringInterval::Year,
    })
}

impl Identified for LookupPriceResponse {
    fn id(&self) -> &str {
        &self.id
    }
}

impl StripeCall for FindPrices {
    type Answer = SetupPage<LookupPriceResponse>;

    fn request(&self) -> impl StripeRequest + Send {
        ListPrice::new().lookup_keys(self.lookup_keys.clone()).limit(PAGE_LENGTH)
    }
}

impl StripeCall for FindPrice {
    type Answer = LookupPriceResponse;

    fn request(&self) -> impl StripeRequest + Send {
        RetrievePrice::new(self.id.as_str())
    }
}

impl StripeCall for ListPrices {
    type Answer = SetupPage<LookupPriceResponse>;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListPrice::new().product(self.product.as_str()).limit(PAGE_LENGTH);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}

impl StripeCall for LookupPriceRequest {
    type Answer = LookupPriceResponse;

    fn request(&self) -> impl StripeRequest + Send {
        let currency: stripe_types::Currency =
            self.currency.parse().unwrap_or_else(|_| stripe_types::Currency::Unknown(self.currency.clone()));
        let metadata: HashMap<String, String> = self.metadata.clone().into_iter().collect();
        let price = CreatePrice::new(currency)
            .product(self.product.as_str())
            .unit_amount(self.minor)
            .lookup_key(self.lookup_key.as_str())
            .transfer_lookup_key(true)
            .metadata(metadata);
        match self.interval {
            Some(interval) => price.recurring(recurring(interval)),
            None => price,
        }
    }
}

impl Change for LookupPriceRequest {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for ChangePrice {
    type Answer = LookupPriceResponse;

    fn request(&self) -> impl StripeRequest + Send {
        let mut update = UpdatePrice::new(self.id.as_str());
        if let Some(active) = self.active {
            update = update.active(active);
        }
        if let Some(key) = &self.lookup_key {
            update = update.lookup_key(key.as_str()).transfer_lookup_key(true);
        }
        if !self.metadata.is_empty() {
            update = update.metadata(self.metadata.clone().into_iter().collect::<HashMap<_, _>>());
        }
        update
    }
}
