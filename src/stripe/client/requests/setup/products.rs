//! How are products found, made and changed?

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use stripe_client_core::StripeRequest;
use stripe_product::product::{CreateProduct, ListProduct, UpdateProduct};

use super::{
    super::super::{Change, StripeCall},
    Identified, PAGE_LENGTH, SetupPage,
};

/// Finds the products with these ids. At most one page.
#[derive(Clone, Debug)]
pub struct FindProducts {
    pub ids: Vec<String>,
}

/// Makes a product with an id of our own, so that it cannot be made twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedProductRequest {
    pub id: String,
    pub name: String,
    pub metadata: BTreeMap<String, String>,
}

/// Changes a product. `None`: stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeProduct {
    pub id: String,
    pub name: Option<String>,
    pub active: Option<bool>,
    pub default_price: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct ExistingProduct {
    pub id: String,
    pub name: String,
    pub active: bool,
    pub livemode: bool,
    /// The default price, which Stripe does not allow to be archived.
    pub default_price: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl Identified for ExistingProduct {
    fn id(&self) -> &str {
        &self.id
    }
}

impl StripeCall for FindProducts {
    type Answer = SetupPage<ExistingProduct>;

    fn request(&self) -> impl StripeRequest + Send {
        ListProduct::new().ids(self.ids.clone()).limit(PAGE_LENGTH)
    }
}

impl StripeCall for NamedProductRequest {
    type Answer = ExistingProduct;

    fn request(&self) -> impl StripeRequest + Send {
        let metadata: HashMap<String, String> = self.metadata.clone().into_iter().collect();
        CreateProduct::new(self.name.as_str()).id(self.id.as_str()).metadata(metadata)
    }
}

impl Change for NamedProductRequest {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for ChangeProduct {
    type Answer = ExistingProduct;

    fn request(&self) -> impl StripeRequest + Send {
        let mut update = UpdateProduct::new(self.id.as_str());
        if let Some(name) = &self.name {
            update = update.name(name.as_str());
        }
        if let Some(active) = self.active {
            update = update.active(active);
        }
        if let Some(price) = &self.default_price {
            update = update.default_price(price.as_str());
        }
        update
    }
}
