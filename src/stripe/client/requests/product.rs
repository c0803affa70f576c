//! What is sold at Stripe, and at which prices? Each is made under a name of our own, by which it is found again.

use std::collections::HashMap;

use ::stripe::StripeRequest;
use stripe_product::{
    price::{CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, ListPrice},
    product::{CreateProduct, Features, RetrieveProduct},
};
use stripe_types::Currency;

use super::super::Ask;
use crate::domain::{amount::Money, catalog::Interval};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakeProduct {
    /// Ours; Stripe has one product of it.
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub marketing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindProduct {
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakePrice {
    pub product: String,
    pub money: Money,
    /// `None`: it is paid once.
    pub interval: Option<Interval>,
    /// Ours; Stripe has one price of it.
    pub lookup_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindPrices {
    pub lookup_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct ProductSeen {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    marketing_features: Vec<Feature>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct Feature {
    name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct PriceSeen {
    pub id: String,
    pub product: String,
    pub unit_amount: Option<i64>,
    pub currency: String,
    pub lookup_key: Option<String>,
    pub active: bool,
    recurring: Option<Recurring>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct Recurring {
    interval: String,
    interval_count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct PricesSeen {
    pub data: Vec<PriceSeen>,
}

impl ProductSeen {
    #[must_use]
    pub fn marketing(&self) -> Vec<&str> {
        self.marketing_features.iter().filter_map(|feature| feature.name.as_deref()).collect()
    }
}

impl PriceSeen {
    /// How often it is paid; `None`: once, or not as prices of a catalog are.
    #[must_use]
    pub fn interval(&self) -> Option<&str> {
        let recurring = self.recurring.as_ref().filter(|recurring| recurring.interval_count == 1);
        recurring.map(|recurring| recurring.interval.as_str())
    }

    #[must_use]
    pub const fn recurs(&self) -> bool {
        self.recurring.is_some()
    }
}

impl Ask for MakeProduct {
    type Answer = ProductSeen;

    fn request(&self) -> impl StripeRequest + Send {
        let features: Vec<Features> =
            self.marketing.iter().map(|line| Features::new(line.as_str())).collect();
        let mut product = CreateProduct::new(self.name.as_str()).id(self.id.as_str());
        if !features.is_empty() {
            product = product.marketing_features(features);
        }
        if let Some(description) = &self.description {
            product = product.description(description.as_str());
        }
        product
    }
}

impl Ask for FindProduct {
    type Answer = ProductSeen;

    fn request(&self) -> impl StripeRequest + Send {
        RetrieveProduct::new(self.id.as_str())
    }
}

impl Ask for MakePrice {
    type Answer = PriceSeen;

    fn request(&self) -> impl StripeRequest + Send {
        // Every text is a currency to the client; whether it is one is for Stripe to say.
        let Ok(currency) = self.money.currency.as_str().parse::<Currency>();
        let price = CreatePrice::new(currency)
            .product(self.product.as_str())
            .unit_amount(self.money.minor)
            .lookup_key(self.lookup_key.as_str())
            .metadata(HashMap::from([("made_by".to_owned(), "counterfoil".to_owned())]));
        match self.interval {
            Some(Interval::Month) => {
                price.recurring(CreatePriceRecurring::new(CreatePriceRecurringInterval::Month))
            }
            Some(Interval::Year) => {
                price.recurring(CreatePriceRecurring::new(CreatePriceRecurringInterval::Year))
            }
            None => price,
        }
    }
}

impl Ask for FindPrices {
    type Answer = PricesSeen;

    fn request(&self) -> impl StripeRequest + Send {
        ListPrice::new().lookup_keys([self.lookup_key.clone()]).limit(1)
    }
}
