//! How can an account pay? Its customers' payment methods are attached, made the default, and detached.

use futures::future::try_join_all;

use super::{
    Billing, BillingError, PageRequest, RepeatableAnswer, ResourceKind,
    across_customers::{customers, page_of_all},
    runner::CallOrder,
};
use crate::{
    domain::{
        account::Account,
        ids::{AccountId, ProviderId},
        purchase,
    },
    ledger::Provenance,
    stripe::{
        calls::Operation,
        client::{
            AttachMethod, CallError, ChargeSubscription, DetachMethod, FindCustomer, FindMethod,
            FindSubscription, ListMethods, PreferMethod, StripeCall, StripePaymentMethod, is_missing,
        },
    },
};

/// A payment method to attach to an account.
#[derive(Clone, Debug)]
pub struct AttachOrder {
    pub account: AccountId,
    pub key: String,
    pub method: ProviderId,
    pub provenance: Provenance,
}

/// A payment method.
#[derive(Clone)]
pub struct Method {
    pub seen: StripePaymentMethod,
    /// Whether it is the default for invoices.
    pub preferred: bool,
}

pub struct MethodPage {
    pub methods: Vec<Method>,
    pub has_more: bool,
}

impl Billing {
    /// The payment methods of the account's customers, newest first. Empty if it has no customer.
    ///
    /// # Errors
    /// If the account is not open, or Stripe does not answer.
    pub async fn list_methods(
        &self,
        account: &AccountId,
        page: PageRequest,
    ) -> Result<MethodPage, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let customers = customers(view.account.require_open()?);
        let listed = page_of_all(&customers, page, async |customer, limit, after| {
            let listed = self.ask_page(&ListMethods { customer, limit, after }).await?;
            Ok((listed.data, listed.has_more))
        });
        let (preferred, listed) = tokio::join!(self.preferred(&customers), listed);
        let (preferred, (listed, has_more)) = (preferred?, listed?);
        let is_preferred = |seen: &StripePaymentMethod| preferred.contains(&seen.id);
        let methods = listed.into_iter().map(|seen| Method { preferred: is_preferred(&seen), seen });
        Ok(MethodPage { methods: methods.collect(), has_more })
    }

    /// The default payment methods of these customers.
    async fn preferred(&self, customers: &[String]) -> Result<Vec<String>, BillingError> {
        let client = self.client()?;
        let find = async |customer: &String| client.read(&FindCustomer { customer: customer.clone() }).await;
        let found = try_join_all(customers.iter().map(find)).await?;
        Ok(found.iter().filter_map(|found| found.default_method().map(str::to_owned)).collect())
    }

    /// Attaches a payment method, once for each key. If the account has no customer, one is made.
    ///
    /// # Errors
    /// If the payment method does not exist or is another customer's, or Stripe refuses or does not answer.
    pub async fn attach_method(&self, order: AttachOrder) -> Result<RepeatableAnswer<Method>, BillingError> {
        let AttachOrder { account, key, method, provenance } = order;
        let order = CallOrder::new(&account, Operation::AttachPaymentMethod, &key, &method.as_str());
        let request = async {
            let view = self.0.ledger.view(&account).await?;
            let seen = self.find_method(&method).await?;
            let customer = self.payer(&account, view.account.require_open()?, None, provenance).await?;
            if seen.customer.as_ref().is_some_and(|owner| *owner != customer) {
                return Err(BillingError::MethodTaken);
            }
            Ok(AttachMethod { customer, method: method.to_string() })
        };
        let RepeatableAnswer { answer, replayed } = self.run(&order, request).await?.repeatable();
        let method = self.look_at(answer.id).await.map_err(done_all_the_same)?;
        Ok(RepeatableAnswer { answer: method, replayed })
    }

    /// A payment method, and whether it is its customer's default.
    async fn look_at(&self, method: String) -> Result<Method, CallError> {
        let client = self.client().map_err(|_| CallError::Unavailable)?;
        let seen = client.read(&FindMethod { method }).await?;
        let Some(customer) = seen.customer.clone() else { return Ok(Method { seen, preferred: false }) };
        let found = client.read(&FindCustomer { customer }).await?;
        let preferred = found.default_method() == Some(seen.id.as_str());
        Ok(Method { seen, preferred })
    }

    /// Detaches a payment method of the account's customer, once.
    ///
    /// # Errors
    /// If the customer does not have it, or Stripe does not answer.
    pub async fn detach_method(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<ProviderId, BillingError> {
        let method_id = method.as_str();
        let order = CallOrder::new(account, Operation::DetachPaymentMethod, method_id, &method_id);
        let request = async {
            let (customer, _) = self.find_method_of(account, method).await?;
            self.spare(account, &customer, method).await?;
            Ok(DetachMethod { method: method.to_string() })
        };
        self.run(&order, request).await?;
        Ok(method.clone())
    }

    /// Makes a payment method of the account's customer the default for invoices, including those of subscriptions that
    /// had another one of their own.
    ///
    /// # Errors
    /// If the customer does not have it, or Stripe does not answer.
    pub async fn prefer_method(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<Method, BillingError> {
        let (customer, seen) = self.find_method_of(account, method).await?;
        self.client()?
            .execute_idempotent(&PreferMethod { customer: customer.clone(), method: seen.id.clone() })
            .await?;
        self.charge_with(account, &customer, &seen.id, |own| own != seen.id).await?;
        Ok(Method { seen, preferred: true })
    }

    /// Before a payment method is detached, changes subscriptions that use it to the default one, since nothing can be
    /// charged to a detached one.
    async fn spare(
        &self,
        account: &AccountId,
        customer: &str,
        method: &ProviderId,
    ) -> Result<(), BillingError> {
        let found = self.client()?.read(&FindCustomer { customer: customer.to_owned() }).await?;
        match found.default_method().filter(|preferred| *preferred != method.as_str()) {
            Some(preferred) => {
                self.charge_with(account, customer, preferred, |own| own == method.as_str()).await
            }
            None => Ok(()),
        }
    }

    /// Sets the payment method of subscriptions.
    /// A subscription may have one of its own, for example from its checkout, which is charged instead of the
    /// customer's default.
    async fn charge_with(
        &self,
        account: &AccountId,
        customer: &str,
        method: &str,
        follows: impl Fn(&str) -> bool,
    ) -> Result<(), BillingError> {
        let view = self.0.ledger.view(account).await?;
        for subscription in self.going(view.account.require_open()?) {
            let subscription = subscription.to_string();
            let found = self.client()?.read(&FindSubscription { subscription: subscription.clone() }).await?;
            let is_theirs = found.customer.as_deref() == Some(customer);
            if is_theirs && found.default_payment_method.as_deref().is_some_and(&follows) {
                let method = method.to_owned();
                self.client()?.execute_idempotent(&ChargeSubscription { subscription, method }).await?;
            }
        }
        Ok(())
    }

    /// A payment method of the account's customer, and that customer.
    pub(super) async fn find_method_of(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<(String, StripePaymentMethod), BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let not_found = BillingError::NotFound(ResourceKind::PaymentMethod);
        let open = view.account.require_open()?;
        purchase::find_customer(open).ok_or(not_found)?;
        let seen = self.find_method(method).await?;
        match seen.customer.clone().filter(|customer| purchase::is_customer(open, customer)) {
            Some(customer) => Ok((customer, seen)),
            None => Err(BillingError::NotFound(ResourceKind::PaymentMethod)),
        }
    }

    /// A payment method that the account may pay with: its own, or one without a customer.
    /// Each of several customers pays with its own.
    pub(super) async fn usable_method(
        &self,
        account: &Account,
        payer: Option<&str>,
        method: &ProviderId,
    ) -> Result<(), BillingError> {
        let seen = self.find_method(method).await?;
        let Some(owner) = seen.customer else { return Ok(()) };
        let is_linked = account.opened().is_some_and(|account| purchase::is_customer(account, &owner));
        let own = is_linked && payer.is_none_or(|payer| payer == owner);
        if own { Ok(()) } else { Err(BillingError::NotFound(ResourceKind::PaymentMethod)) }
    }

    async fn find_method(&self, method: &ProviderId) -> Result<StripePaymentMethod, BillingError> {
        let found = self.client()?.read(&FindMethod { method: method.to_string() }).await;
        found.map_err(|error| missing(error, ResourceKind::PaymentMethod))
    }

    /// Reads one page of a list. An unknown cursor is the caller's mistake.
    pub(super) async fn ask_page<A: StripeCall>(&self, list: &A) -> Result<A::Answer, BillingError> {
        self.client()?.read(list).await.map_err(|error| {
            let place = error.rejection().and_then(|why| why.parameter.as_deref());
            if place == Some("starting_after") { BillingError::CursorUnknown } else { error.into() }
        })
    }
}

/// Converts an error that Stripe does not have an object; other errors stay as they are.
pub(super) fn missing(error: CallError, sought: ResourceKind) -> BillingError {
    if error.rejection().is_some_and(is_missing) { BillingError::NotFound(sought) } else { error.into() }
}

/// The change was made, so an error while reading the result means that the outcome is unknown, and not that it failed.
pub(super) fn done_all_the_same(error: CallError) -> BillingError {
    if error == CallError::Unavailable { BillingError::OutcomeUnknown } else { error.into() }
}
