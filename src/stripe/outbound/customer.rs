//! Which customer at Stripe belongs to this account?
//! The one that it is linked to, else one whose metadata names it, else a new one.
//! An e-mail address alone does not identify a customer: anybody who enters it would see another person's data.
//!
//! The address is sent to Stripe and not stored here.
//! A new customer is made without it, so that repetitions are the same request; it is set afterwards, which can be
//! repeated.

use super::{Billing, BillingError, runner::CallOrder};
use crate::{
    domain::{
        account::OpenAccount,
        ids::{AccountId, ProviderId},
        purchase,
        refusal::Refusal,
    },
    stripe::{
        calls::Operation,
        client::{AdoptCustomer, FindCustomers, MakeCustomer},
        inbound::accounts::{
            customer_links::{ReservationResult, ReservationTerm},
            linking,
        },
    },
};

const KEY: &str = "once";

impl Billing {
    pub(super) async fn customer(
        &self,
        account: &AccountId,
        open: &OpenAccount,
        email: Option<&str>,
    ) -> Result<String, BillingError> {
        let email = email.filter(|email| !email.is_empty());
        if let Some(linked) = purchase::find_customer(open) {
            return Ok(linked.to_string());
        }
        let known = match email {
            Some(email) => self.find_made_for(account, email).await?,
            None => None,
        };
        let customer = match known {
            Some(customer) => customer,
            None => self.make_customer(account, open).await?,
        };
        let customer = self.keep_for(account, customer).await?;
        if let Some(email) = email {
            let (customer, account) = (customer.clone(), account.to_string());
            self.client()?
                .execute_idempotent(&AdoptCustomer { customer, account, email: email.to_owned() })
                .await?;
        }
        Ok(customer)
    }

    /// A customer with this address that was made for this account, and is not linked to another one.
    async fn find_made_for(&self, account: &AccountId, email: &str) -> Result<Option<String>, BillingError> {
        let found = self.client()?.read(&FindCustomers { email: email.to_owned(), after: None }).await?;
        for customer in found.data.iter().filter(|customer| customer.account() == Some(account.as_str())) {
            if !self.stands_for_another(&customer.id, account).await? {
                return Ok(Some(customer.id.clone()));
            }
        }
        Ok(None)
    }

    async fn stands_for_another(&self, customer: &str, account: &AccountId) -> Result<bool, BillingError> {
        let Ok(customer) = ProviderId::parse(customer) else { return Ok(true) };
        self.0.links.stands_for_another(&customer, account).await.map_err(BillingError::Storage)
    }

    /// Reserves a customer that was made for the account, until they are linked.
    async fn keep_for(&self, account: &AccountId, customer: String) -> Result<String, BillingError> {
        let id = ProviderId::parse(&customer).map_err(|_| BillingError::OutcomeUnknown)?;
        let places = (&self.0.ledger, &self.0.links);
        match linking::begin(places, &id, account, ReservationTerm::ForGood).await? {
            ReservationResult::Ours | ReservationResult::There => Ok(customer),
            ReservationResult::Taken | ReservationResult::Forgotten(_) => Err(Refusal::CustomerTaken.into()),
        }
    }

    /// Makes a customer. One that was deleted at Stripe is followed by another one.
    async fn make_customer(&self, account: &AccountId, open: &OpenAccount) -> Result<String, BillingError> {
        let gone = open.customers.len();
        let key = if gone == 0 { KEY.to_owned() } else { format!("{KEY}:{gone}") };
        let request = MakeCustomer { account: account.to_string() };
        let order = CallOrder::new(account, Operation::CreateCustomer, &key, &request);
        let made = self.run(&order, async { Ok(request) }).await?.stored;
        ProviderId::parse(&made.id).map(|id| id.to_string()).map_err(|_| BillingError::OutcomeUnknown)
    }
}
