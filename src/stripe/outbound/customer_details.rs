//! What does Stripe know of the customer that an account is? It is read from there and passed on to there, and kept
//! nowhere here.
//!
//! Nothing here is written down before it is asked but the making of a customer: to set what somebody is called, or to
//! delete a customer, is the same however often it is done, and what would be written down is personal.

use super::{Billing, BillingError};
use crate::{
    domain::{
        account::OpenAccount,
        command::{Command, CustomerCommand},
        ids::{AccountId, ProviderId},
        purchase,
        refusal::Refusal,
    },
    ledger::{IdempotencyKey, Provenance, Request},
    stripe::client::{
        CustomerDetails, DeleteCustomer, DescribeCustomer, FindCustomer, FindCustomers, FoundCustomer,
        StripeCustomer, is_missing,
    },
};

/// How many pages of customers with one e-mail address are read. What is older is not found.
const PAGES_MAX: usize = 10;

/// A customer as it is, and whether the account has just become it.
pub struct LinkedCustomer {
    pub customer: StripeCustomer,
    pub new: bool,
}

impl Billing {
    /// Makes an account a customer, unless it is one, and passes on what is said about it.
    ///
    /// # Errors
    /// When the account is not open, or Stripe refuses or does not answer.
    pub async fn become_customer(
        &self,
        account: &AccountId,
        details: CustomerDetails,
        provenance: Provenance,
    ) -> Result<LinkedCustomer, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let open = view.account.require_open()?;
        let new = purchase::find_customer(open).is_none();
        // Whose address it is was not shown: a customer that is there already is found by a checkout, where somebody
        // pays.
        let customer = self.payer(account, open, None, provenance).await?;
        let customer = self.describe(customer, details).await?;
        Ok(LinkedCustomer { customer, new })
    }

    /// The webhook links the two as well; whoever asks next need not wait for it.
    async fn link(
        &self,
        account: &AccountId,
        customer: &str,
        provenance: Provenance,
    ) -> Result<(), BillingError> {
        let customer = ProviderId::parse(customer).map_err(|_| BillingError::OutcomeUnknown)?;
        let command = Command::Customer(CustomerCommand::LinkCustomer {
            customer: customer.clone(),
            effective_at: self.now(),
        });
        let request = Request::new(account.clone(), command, IdempotencyKey::none(), provenance);
        self.0.ledger.execute(request).await?;
        self.0.links.keep(customer, account.clone(), self.now()).await.map_err(BillingError::Storage)
    }

    async fn describe(
        &self,
        customer: String,
        details: CustomerDetails,
    ) -> Result<StripeCustomer, BillingError> {
        if details.is_empty() {
            return self.look_up(customer).await;
        }
        let told = self.client()?.execute_idempotent(&DescribeCustomer { customer, details }).await;
        match told {
            Err(error) if error.rejection().is_some_and(is_missing) => Err(Refusal::NoCustomer.into()),
            told => Ok(told?),
        }
    }

    async fn look_up(&self, customer: String) -> Result<StripeCustomer, BillingError> {
        let seen = self.client()?.read(&FindCustomer { customer }).await?;
        // Deleted at Stripe; the webhook that closes the link is on its way.
        if seen.is_deleted() { Err(Refusal::NoCustomer.into()) } else { Ok(seen) }
    }

    /// The customer that an account is, as Stripe knows it.
    ///
    /// # Errors
    /// When it is none, or Stripe does not answer.
    pub async fn find_customer(&self, account: &AccountId) -> Result<StripeCustomer, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        self.look_up(purchase::customer(&view.account)?.to_string()).await
    }

    /// The customers with this e-mail address, whoever they are, the newest first. The address is passed on to Stripe,
    /// and kept nowhere.
    ///
    /// # Errors
    /// When Stripe refuses or does not answer.
    pub async fn customers_with(&self, email: &str) -> Result<Vec<FoundCustomer>, BillingError> {
        let mut all: Vec<FoundCustomer> = Vec::new();
        for _ in 0..PAGES_MAX {
            let after = all.last().map(|last| last.id.clone());
            let found = self.client()?.read(&FindCustomers { email: email.to_owned(), after }).await?;
            all.extend(found.data);
            if !found.has_more {
                break;
            }
        }
        Ok(all)
    }

    /// Passes on what is said about a customer.
    ///
    /// # Errors
    /// When the account is none, or Stripe refuses or does not answer.
    pub async fn describe_customer(
        &self,
        account: &AccountId,
        details: CustomerDetails,
    ) -> Result<StripeCustomer, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        self.describe(purchase::customer(&view.account)?.to_string(), details).await
    }

    /// Deletes the customer at Stripe, which tells so by a webhook; that closes the link. Answers its id.
    ///
    /// # Errors
    /// When the account is none, has a running subscription, or Stripe does not answer.
    pub async fn delete_customer(&self, account: &AccountId) -> Result<ProviderId, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let customer = purchase::customer_to_delete(&view.account, self.now())?.clone();
        self.check_leaves(&view.account).await?;
        let deleted =
            self.client()?.execute_idempotent(&DeleteCustomer { customer: customer.to_string() }).await;
        match deleted {
            Ok(_) => Ok(customer),
            // An earlier try of this very request, or somebody else, was first.
            Err(error) if error.rejection().is_some_and(is_missing) => Ok(customer),
            Err(error) => Err(error.into()),
        }
    }

    /// The customer that an account is, or has just become.
    pub(super) async fn payer(
        &self,
        account: &AccountId,
        open: &OpenAccount,
        email: Option<&str>,
        provenance: Provenance,
    ) -> Result<String, BillingError> {
        let new = purchase::find_customer(open).is_none();
        let customer = self.customer(account, open, email).await?;
        if new {
            self.link(account, &customer, provenance).await?;
        }
        Ok(customer)
    }
}
