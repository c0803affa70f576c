//! How are products and prices made at Stripe?
//! An operator makes them with an id or lookup key of our own, which only one object can have.
//!
//! These calls are not stored first, since the id or lookup key makes them repeatable: a second attempt finds what the
//! first has made, however long ago, and checks whether it is the same.
//! What is sold here is defined by the catalog.

use super::{Billing, BillingError};
use crate::stripe::client::{
    CallError, FindProduct, PriceRequest, ProductRequest, StripeCall, StripeProduct,
    setup::{FindPrices, LookupPriceResponse},
};

/// An object that was made, or existed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    pub ware: T,
    pub new: bool,
}

impl Billing {
    /// Makes a product, unless it exists.
    ///
    /// # Errors
    /// If another product has this id, or Stripe refuses or does not answer.
    pub async fn make_product(
        &self,
        product: &ProductRequest,
    ) -> Result<Created<StripeProduct>, BillingError> {
        let refused = match self.make(product).await? {
            Ok(ware) => return Ok(Created { ware, new: true }),
            Err(refused) => refused,
        };
        // The reason for a refusal may be that the product exists, perhaps from an earlier attempt.
        let found = self.client()?.read(&FindProduct { id: product.id.clone() }).await;
        match found {
            Ok(ware) if is_product(&ware, product) => Ok(Created { ware, new: false }),
            Ok(_) => Err(BillingError::NameTaken),
            Err(CallError::Rejected(_)) => Err(refused.into()),
            Err(error @ (CallError::KeyNotTaken | CallError::Unavailable | CallError::OutcomeUnknown)) => {
                Err(error.into())
            }
        }
    }

    /// Makes a price, unless it exists.
    ///
    /// # Errors
    /// If another price has this lookup key, or Stripe refuses or does not answer.
    pub async fn make_price(
        &self,
        price: &PriceRequest,
    ) -> Result<Created<LookupPriceResponse>, BillingError> {
        let refused = match self.make(price).await? {
            Ok(ware) => return Ok(Created { ware, new: true }),
            Err(refused) => refused,
        };
        let found = self.client()?.read(&FindPrices { lookup_keys: vec![price.lookup_key.clone()] }).await?;
        match found.data.into_iter().next() {
            Some(ware) if is_price(&ware, price) => Ok(Created { ware, new: false }),
            Some(_) => Err(BillingError::NameTaken),
            None => Err(refused.into()),
        }
    }

    /// What Stripe has made, or why it has not.
    async fn make<A: StripeCall>(&self, ask: &A) -> Result<Result<A::Answer, CallError>, BillingError> {
        match self.client()?.execute_idempotent(ask).await {
            Ok(made) => Ok(Ok(made)),
            Err(error) if error.rejection().is_some() => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_product(ware: &StripeProduct, wanted: &ProductRequest) -> bool {
    ware.active
        && ware.name == wanted.name
        && ware.description == wanted.description
        && ware.marketing() == wanted.marketing
}

fn is_price(ware: &LookupPriceResponse, wanted: &PriceRequest) -> bool {
    let interval = wanted.interval.map(|interval| interval.as_str());
    ware.active
        && ware.product == wanted.product
        && ware.unit_amount == Some(wanted.money.minor)
        && ware.currency == wanted.money.currency.as_str()
        && ware.interval() == interval
        && ware.recurring.is_some() == interval.is_some()
}
