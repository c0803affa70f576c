//! What is sold at Stripe, and at which prices? Each is made under a name of our own, by which it is found again.

use std::collections::HashMap;

use ::stripe::StripeRequest;
use stripe_product::{
    price::CreatePrice,
    product::{CreateProduct, Features, RetrieveProduct},
};
use stripe_types::Currency;

use super::{
    super::Ask,
    setup::{PriceKept, recurring},
};
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

impl ProductSeen {
    #[must_use]
    pub fn marketing(&self) -> Vec<&str> {
        self.marketing_features.iter().filter_map(|feature| feature.name.as_deref()).collect()
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
    type Answer = PriceKept;

    fn request(&self) -> impl StripeRequest + Send {
        // Every text is a currency to the client; whether it is one is for Stripe to say.
        let Ok(currency) = self.money.currency.as_str().parse::<Currency>();
        let price = CreatePrice::new(currency)
            .product(self.product.as_str())
            .unit_amount(self.money.minor)
            .lookup_key(self.lookup_key.as_str())
            .metadata(HashMap::from([("made_by".to_owned(), "counterfoil".to_owned())]));
        match self.interval {
            Some(interval) => price.recurring(recurring(interval)),
            None => price,
        }
    }
}
