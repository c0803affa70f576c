//! How does a person look after a subscription? On a page at Stripe, which is opened for the account's customer.

use super::{Answered, Billing, BillingError, hash};
use crate::{
    domain::{names::AccountId, sale},
    stripe::{calls::CallId, client::OpenPortal},
};

pub(super) const OPERATION: &str = "portal_session";

/// A request for that page.
#[derive(Clone, Debug)]
pub struct Portal {
    pub account: AccountId,
    pub key: String,
    pub return_url: String,
}

impl Billing {
    /// Opens the page, once for each key, and answers its address.
    ///
    /// # Errors
    /// When the account is no customer, or Stripe refuses or does not answer.
    pub async fn open_portal(&self, portal: Portal) -> Result<Answered<String>, BillingError> {
        self.client()?;
        let Portal { account, key, return_url } = portal;
        let id = CallId { account, operation: OPERATION, key };
        let asked = hash(&return_url);
        let kept = match self.find(&id, &asked).await? {
            Some(kept) => kept,
            None => {
                let view = self.0.ledger.view(&id.account).await?;
                let customer = self.subscriber(sale::open(&view.account)?).await?;
                let configuration = self.0.portal.clone();
                self.begin(&id, &asked, OpenPortal { customer, return_url, configuration }).await?
            }
        };
        let Answered { answer, replayed } = self.perform(&id, kept).await?;
        if !replayed {
            self.0.calls.done(&id, &answer, self.now()).await?;
        }
        Ok(Answered { answer: answer.url, replayed })
    }
}
