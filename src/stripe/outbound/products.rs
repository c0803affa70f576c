//! How does something come to be sold at Stripe? An operator makes a product, and a price of it, each under a name of
//! ours that only one can have.
//!
//! Nothing is written down before these calls, since the name does what a key does: of two tries the second finds what
//! the first has made, however long ago, and whether it is the same. What is sold here is for the catalog to say.

use super::{Billing, BillingError};
use crate::stripe::client::{
    CallError, FindProduct, PriceRequest, ProductRequest, StripeCall, StripeProduct,
    setup::{FindPrices, LookupPriceResponse},
};

/// Something that was made, or was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    pub ware: T,
    pub new: bool,
}

impl Billing {
    /// Makes a product, unless it is there.
    ///
    /// # Errors
    /// When there is another product of the id, or Stripe refuses or does not answer.
    pub async fn make_product(
        &self,
        product: &ProductRequest,
    ) -> Result<Created<StripeProduct>, BillingError> {
        let refused = match self.make(product).await? {
            Ok(ware) => return Ok(Created { ware, new: true }),
            Err(refused) => refused,
        };
        // Whatever it was refused for, one that is there may be the reason, also one that an earlier try has made.
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

    /// Makes a price, unless it is there.
    ///
    /// # Errors
    /// When there is another price of the key, or Stripe refuses or does not answer.
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
