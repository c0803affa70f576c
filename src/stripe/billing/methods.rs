//! What can an account pay with? Its customer's payment methods, which are attached, preferred and detached.

use super::{Answered, Billing, BillingError, Page, Sought, hash};
use crate::{
    domain::{
        account::Account,
        names::{AccountId, ProviderId},
        sale,
    },
    ledger::Provenance,
    stripe::{
        calls::CallId,
        client::{
            Ask, AttachMethod, CallError, DetachMethod, FindCustomer, FindMethod, ListMethods, MethodSeen,
            PreferMethod, is_missing,
        },
    },
};

pub const ATTACH_METHOD: &str = "attach_payment_method";
/// Its key is the method's id: a method is detached once, and does not come back.
pub const DETACH_METHOD: &str = "detach_payment_method";

/// A method that the account is to pay with.
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
    pub seen: MethodSeen,
    /// Whether invoices are paid with it.
    pub preferred: bool,
}

pub struct MethodPage {
    pub methods: Vec<Method>,
    pub has_more: bool,
}

impl Billing {
    /// What the account's customer can pay with, the newest first. Who is no customer has nothing.
    ///
    /// # Errors
    /// When the account is not open, or Stripe does not answer.
    pub async fn list_methods(&self, account: &AccountId, page: Page) -> Result<MethodPage, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let Some(customer) = sale::find_customer(sale::open(&view.account)?).map(ToString::to_string) else {
            return Ok(MethodPage { methods: Vec::new(), has_more: false });
        };
        let after = page.after.map(|after| after.to_string());
        let list = ListMethods { customer: customer.clone(), limit: page.limit, after };
        let find = FindCustomer { customer };
        let (found, listed) = tokio::join!(self.client()?.ask(&find), self.ask_page(&list));
        let (found, listed) = (found?, listed?);
        let preferred = |seen: &MethodSeen| found.default_method() == Some(seen.id.as_str());
        let methods = listed.data.into_iter().map(|seen| Method { preferred: preferred(&seen), seen });
        Ok(MethodPage { methods: methods.collect(), has_more: listed.has_more })
    }

    /// Attaches a method that nobody has, once for each key. An account that is no customer becomes one.
    ///
    /// # Errors
    /// When the method is not there or is another customer's, or Stripe refuses or does not answer.
    pub async fn attach_method(&self, order: AttachOrder) -> Result<Answered<Method>, BillingError> {
        let AttachOrder { account, key, method, provenance } = order;
        let id = CallId { account, operation: ATTACH_METHOD, key };
        let request = async {
            let view = self.0.ledger.view(&id.account).await?;
            let seen = self.find_method(&method).await?;
            let customer = self.payer(&id.account, sale::open(&view.account)?, None, provenance).await?;
            if seen.customer.as_ref().is_some_and(|owner| *owner != customer) {
                return Err(BillingError::MethodTaken);
            }
            Ok(AttachMethod { customer, method: method.to_string() })
        };
        let Answered { answer, replayed } = self.once(&id, &hash(&method.as_str()), request).await?;
        let method = self.look_at(answer.id).await.map_err(done_all_the_same)?;
        Ok(Answered { answer: method, replayed })
    }

    /// A method, and whether it is its customer's preferred one.
    async fn look_at(&self, method: String) -> Result<Method, CallError> {
        let client = self.client().map_err(|_| CallError::Unavailable)?;
        let seen = client.ask(&FindMethod { method }).await?;
        let Some(customer) = seen.customer.clone() else { return Ok(Method { seen, preferred: false }) };
        let found = client.ask(&FindCustomer { customer }).await?;
        let preferred = found.default_method() == Some(seen.id.as_str());
        Ok(Method { seen, preferred })
    }

    /// Detaches a method of the account's customer, once.
    ///
    /// # Errors
    /// When the customer does not have it, or Stripe does not answer.
    pub async fn detach_method(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<ProviderId, BillingError> {
        let id =
            CallId { account: account.clone(), operation: DETACH_METHOD, key: method.as_str().to_owned() };
        let request = async {
            self.find_method_of(account, method).await?;
            Ok(DetachMethod { method: method.to_string() })
        };
        self.once(&id, &hash(&method.as_str()), request).await?;
        Ok(method.clone())
    }

    /// Lets the invoices of the account's customer be paid with one of its methods.
    ///
    /// # Errors
    /// When the customer does not have it, or Stripe does not answer.
    pub async fn prefer_method(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<Method, BillingError> {
        let (customer, seen) = self.find_method_of(account, method).await?;
        self.client()?.set(&PreferMethod { customer, method: seen.id.clone() }).await?;
        Ok(Method { seen, preferred: true })
    }

    /// A method of the account's customer, and that customer.
    async fn find_method_of(
        &self,
        account: &AccountId,
        method: &ProviderId,
    ) -> Result<(String, MethodSeen), BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let not_found = BillingError::NotFound(Sought::PaymentMethod);
        let Some(customer) = sale::find_customer(sale::open(&view.account)?) else { return Err(not_found) };
        let seen = self.find_method(method).await?;
        let own = seen.customer.as_deref() == Some(customer.as_str());
        if own { Ok((customer.to_string(), seen)) } else { Err(not_found) }
    }

    /// A method that the account may pay with: its own, or one that is nobody's yet.
    pub(super) async fn usable_method(
        &self,
        account: &Account,
        method: &ProviderId,
    ) -> Result<(), BillingError> {
        let seen = self.find_method(method).await?;
        let Some(owner) = seen.customer else { return Ok(()) };
        let own = sale::customer(account).is_ok_and(|customer| customer.as_str() == owner);
        if own { Ok(()) } else { Err(BillingError::NotFound(Sought::PaymentMethod)) }
    }

    async fn find_method(&self, method: &ProviderId) -> Result<MethodSeen, BillingError> {
        let found = self.client()?.ask(&FindMethod { method: method.to_string() }).await;
        found.map_err(|error| missing(error, Sought::PaymentMethod))
    }

    /// One page of a list. A place that Stripe does not know is the caller's mistake.
    pub(super) async fn ask_page<A: Ask>(&self, list: &A) -> Result<A::Answer, BillingError> {
        self.client()?.ask(list).await.map_err(|error| {
            let place = error.rejection().and_then(|why| why.parameter.as_deref());
            if place == Some("starting_after") { BillingError::CursorUnknown } else { error.into() }
        })
    }
}

/// What Stripe does not have is not found; everything else stays what it is.
pub(super) fn missing(error: CallError, sought: Sought) -> BillingError {
    if error.rejection().is_some_and(is_missing) { BillingError::NotFound(sought) } else { error.into() }
}

/// After the work was done, an answer that does not come says nothing about the work.
pub(super) fn done_all_the_same(error: CallError) -> BillingError {
    if error == CallError::Unavailable { BillingError::OutcomeUnknown } else { error.into() }
}
