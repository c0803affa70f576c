//! How are products and prices made? Each has an id or a lookup key of our own, by which it is found again.

use std::collections::HashMap;

use stripe_client_core::StripeRequest;
use stripe_product::{
    price::CreatePrice,
    product::{CreateProduct, Features, RetrieveProduct},
};
use stripe_types::Currency;

use super::{
    super::StripeCall,
    setup::{LookupPriceResponse, recurring},
};
use crate::domain::{amount::Money, catalog::Interval};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRequest {
    /// Our own id; Stripe allows one product with it.
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
pub struct PriceRequest {
    pub product: String,
    pub money: Money,
    /// `None`: it is paid once.
    pub interval: Option<Interval>,
    /// Our own lookup key; Stripe allows one price with it.
    pub lookup_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeProduct {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    marketing_features: Vec<ProductFeature>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct ProductFeature {
    name: Option<String>,
}

impl StripeProduct {
    #[must_use]
    pub fn marketing(&self) -> Vec<&str> {
        self.marketing_features.iter().filter_map(|feature| feature.name.as_deref()).collect()
    }
}

impl StripeCall for ProductRequest {
    type Answer = StripeProduct;

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

impl StripeCall for FindProduct {
    type Answer = StripeProduct;

    fn request(&self) -> impl StripeRequest + Send {
        RetrieveProduct::new(self.id.as_str())
    }
}

impl StripeCall for PriceRequest {
    type Answer = LookupPriceResponse;

    fn request(&self) -> impl StripeRequest + Send {
        // The client accepts every text as a currency; Stripe checks it.
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
