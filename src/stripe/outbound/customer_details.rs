//! What does Stripe know of an account's customer? It is read from there and sent there, and not stored here.
//!
//! Only the making of a customer is stored before it is sent: setting details or deleting a customer can be repeated,
//! and the request would be personal data.

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

/// How many pages of customers with one e-mail address are read. Older ones are not found.
const PAGES_MAX: usize = 10;

/// A customer, and whether the account has just got it.
pub struct LinkedCustomer {
    pub customer: StripeCustomer,
    pub new: bool,
}

impl Billing {
    /// Makes a customer for an account, unless it has one, and sends its details to Stripe.
    ///
    /// # Errors
    /// If the account is not open, or Stripe refuses or does not answer.
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
        // The address is not used to find an existing customer, since nothing shows whose it is; a checkout does so,
        // where somebody pays.
        let customer = self.payer(account, open, None, provenance).await?;
        let customer = self.describe(customer, details).await?;
        Ok(LinkedCustomer { customer, new })
    }

    /// Links the two. A webhook does so as well, but the next request need not wait for it.
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
        // The customer was deleted at Stripe, and the webhook about it has not arrived yet.
        if seen.is_deleted() { Err(Refusal::NoCustomer.into()) } else { Ok(seen) }
    }

    /// The account's customer, as Stripe has it.
    ///
    /// # Errors
    /// If it has none, or Stripe does not answer.
    pub async fn find_customer(&self, account: &AccountId) -> Result<StripeCustomer, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        self.look_up(purchase::customer(&view.account)?.to_string()).await
    }

    /// All customers with this e-mail address, newest first. The address is sent to Stripe, and not stored here.
    ///
    /// # Errors
    /// If Stripe refuses or does not answer.
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

    /// Sends details of a customer to Stripe.
    ///
    /// # Errors
    /// If the account has none, or Stripe refuses or does not answer.
    pub async fn describe_customer(
        &self,
        account: &AccountId,
        details: CustomerDetails,
    ) -> Result<StripeCustomer, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        self.describe(purchase::customer(&view.account)?.to_string(), details).await
    }

    /// Deletes the customer at Stripe, whose webhook then ends the link. Returns its id.
    ///
    /// # Errors
    /// If the account has none, has a subscription that has not ended, or Stripe does not answer.
    pub async fn delete_customer(&self, account: &AccountId) -> Result<ProviderId, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let customer = purchase::customer_to_delete(&view.account, self.now())?.clone();
        self.check_leaves(&view.account).await?;
        let deleted =
            self.client()?.execute_idempotent(&DeleteCustomer { customer: customer.to_string() }).await;
        match deleted {
            Ok(_) => Ok(customer),
            // An earlier attempt of this request, or somebody else, has deleted it.
            Err(error) if error.rejection().is_some_and(is_missing) => Ok(customer),
            Err(error) => Err(error.into()),
        }
    }

    /// The account's customer, which is made if there is none.
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
