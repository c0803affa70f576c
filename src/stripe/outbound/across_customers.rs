//! What if an account has several customers? Then the lists of all of them are merged.

use std::{cmp::Reverse, future::Future};

use futures::future::try_join_all;

use super::{Billing, BillingError, PageRequest};
use crate::{
    domain::{account::OpenAccount, ids::ProviderId, purchase, refusal::Refusal},
    stripe::client::{FindSubscription, StripeInvoice, StripePayment, StripePaymentMethod},
};

/// The largest page that Stripe returns.
const PAGE_MAX: u8 = 100;
/// How many pages of each of several customers are read for one list. Older objects are not in the list.
const PAGES_MAX: usize = 10;

/// An object that is listed by customer.
pub(super) trait ListedByCustomer {
    fn id(&self) -> &str;
    /// In seconds since 1970.
    fn created(&self) -> i64;
}

impl ListedByCustomer for StripeInvoice {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl ListedByCustomer for StripePayment {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl ListedByCustomer for StripePaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// A page of the merged lists of all customers, newest first.
/// `ask` reads a page of one customer: its members, and whether there are more.
pub(super) async fn page_of_all<T, F>(
    customers: &[String],
    page: PageRequest,
    ask: impl Fn(String, u8, Option<String>) -> F + Sync,
) -> Result<(Vec<T>, bool), BillingError>
where
    T: ListedByCustomer + Send,
    F: Future<Output = Result<(Vec<T>, bool), BillingError>> + Send,
{
    let after = page.after.map(|after| after.to_string());
    if let [only] = customers {
        return ask(only.clone(), page.limit, after).await;
    }
    let lists = try_join_all(customers.iter().map(|customer| whole(customer, &ask))).await?;
    let mut all: Vec<T> = lists.into_iter().flatten().collect();
    all.sort_by(|one, other| (Reverse(one.created()), one.id()).cmp(&(Reverse(other.created()), other.id())));
    let from = match after {
        None => 0,
        Some(after) => {
            let place = all.iter().position(|member| member.id() == after);
            place.ok_or(BillingError::CursorUnknown)?.saturating_add(1)
        }
    };
    let limit = usize::from(page.limit);
    let has_more = all.len() > from.saturating_add(limit);
    Ok((all.into_iter().skip(from).take(limit).collect(), has_more))
}

/// The list of one customer, up to a limit.
async fn whole<T, F>(
    customer: &str,
    ask: &impl Fn(String, u8, Option<String>) -> F,
) -> Result<Vec<T>, BillingError>
where
    T: ListedByCustomer,
    F: Future<Output = Result<(Vec<T>, bool), BillingError>>,
{
    let mut all: Vec<T> = Vec::new();
    for _ in 0..PAGES_MAX {
        let after = all.last().map(|last| last.id().to_owned());
        let (members, has_more) = ask(customer.to_owned(), PAGE_MAX, after).await?;
        all.extend(members);
        if !has_more {
            break;
        }
    }
    Ok(all)
}

/// The ids of the account's customers.
pub(super) fn customers(account: &OpenAccount) -> Vec<String> {
    purchase::customers(account).map(ToString::to_string).collect()
}

impl Billing {
    /// The customer whose portal is opened for the account: of several, one with a subscription.
    pub(super) async fn subscriber(&self, account: &OpenAccount) -> Result<String, BillingError> {
        let customers = customers(account);
        let first = customers.first().cloned().ok_or(Refusal::NoCustomer)?;
        if customers.len() == 1 {
            return Ok(first);
        }
        for subscription in self.going(account) {
            let found = FindSubscription { subscription: subscription.to_string() };
            let customer = self.client()?.read(&found).await?.customer;
            if let Some(customer) = customer.filter(|customer| customers.contains(customer)) {
                return Ok(customer);
            }
        }
        Ok(first)
    }

    /// The subscriptions that have not ended.
    pub(super) fn going(&self, account: &OpenAccount) -> Vec<ProviderId> {
        let now = self.now();
        let known = account.subscriptions.known().values();
        known.filter(|terms| !terms.has_ended(now)).map(|terms| terms.subscription.clone()).collect()
    }
}
