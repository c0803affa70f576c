//! May this account buy that, and at which price?
//! These rules are checked before anything is sold; the payment provider reports what was bought.

use super::{
    account::{Account, CustomerLink, OpenAccount},
    amount::Credits,
    catalog::{Catalog, Interval, StripePrice},
    charges,
    event::PaymentPurpose,
    ids::{PackId, PlanId, ProviderId},
    refusal::Refusal,
    rollout::BillingState,
    sold_pack::SoldPack,
    subscription::SubscriptionState,
    time::Timestamp,
    unsold::Unsold,
};

/// What a caller wants to buy for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PurchaseRequest {
    Plan {
        plan: PlanId,
        interval: Interval,
        quantity: u32,
        /// Whether it begins with the catalog's trial.
        trial: bool,
    },
    Pack {
        pack: PackId,
        quantity: u32,
    },
    /// Any number of credits.
    Credits(Credits),
}

/// The terms of a sale, and the id of its price at the payment provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseTerms {
    /// `None`: a price is made for this sale alone, with the terms of `pack`.
    pub price_id: Option<String>,
    pub quantity: u32,
    /// For how many days nothing is charged, for a plan that begins with a trial.
    pub trial_days: Option<u16>,
    pub purpose: PaymentPurpose,
    /// What each pack gives, which holds whatever the catalog says when it is paid.
    pub pack: Option<SoldPack>,
}

/// Finds the terms of a purchase.
///
/// # Errors
/// If the account is not open, nothing is sold to it, the catalog does not sell this, or the account has a subscription
/// and may have only one.
pub fn price_purchase(
    account: &Account,
    catalog: &Catalog,
    billing: BillingState,
    wish: &PurchaseRequest,
    at: Timestamp,
) -> Result<PurchaseTerms, Refusal> {
    let account = account.require_open()?;
    billing.check()?;
    match wish {
        PurchaseRequest::Plan { plan, interval, quantity, trial } => {
            check_subscriptions(account, catalog, at)?;
            let offer = catalog.plan(plan).ok_or_else(|| Refusal::UnknownPlan { plan: plan.clone() })?;
            let price = offer.offer(*interval).map_err(Refusal::NotForSale)?;
            let days = offer.trial.map_or(0, |trial| trial.days);
            Ok(PurchaseTerms {
                price_id: Some(price_id(&price.stripe)?),
                quantity: *quantity,
                trial_days: if *trial { Some(trial_days(account, days)?) } else { None },
                purpose: PaymentPurpose::Subscription { subscription: None, plan: Some(plan.clone()) },
                pack: None,
            })
        }
        PurchaseRequest::Pack { pack, quantity } => {
            let offer = catalog.pack(pack).ok_or(Refusal::UnknownPack)?;
            let offer = offer.offer().map_err(Refusal::NotForSale)?;
            charges::in_bounds(catalog, charges::price(offer, *quantity))?;
            Ok(PurchaseTerms {
                price_id: Some(price_id(&offer.stripe)?),
                quantity: *quantity,
                trial_days: None,
                purpose: PaymentPurpose::Pack { pack: pack.clone(), quantity: *quantity },
                pack: Some(SoldPack::of(offer)),
            })
        }
        PurchaseRequest::Credits(credits) => {
            let sold = SoldPack::of_credits(catalog, *credits)?;
            Ok(PurchaseTerms {
                price_id: None,
                quantity: 1,
                trial_days: None,
                purpose: PaymentPurpose::Pack { pack: sold.pack.clone(), quantity: 1 },
                pack: Some(sold),
            })
        }
    }
}

/// The customer of an open account at the payment provider; the first one, if several are linked.
///
/// # Errors
/// If the account is not open, or has no customer yet.
pub fn customer(account: &Account) -> Result<&ProviderId, Refusal> {
    find_customer(account.require_open()?).ok_or(Refusal::NoCustomer)
}

/// The customer that is linked to an account; the first one, if there are several.
#[must_use]
pub fn find_customer(account: &OpenAccount) -> Option<&ProviderId> {
    customers(account).next()
}

/// All customers that are linked to an account.
pub fn customers(account: &OpenAccount) -> impl Iterator<Item = &ProviderId> {
    account.customers.iter().filter(|(_, link)| **link == CustomerLink::Linked).map(|(customer, _)| customer)
}

/// Whether this customer is linked to the account now.
#[must_use]
pub fn is_customer(account: &OpenAccount, customer: &str) -> bool {
    customers(account).any(|linked| linked.as_str() == customer)
}

/// The customer that can be deleted. Deleting it would also end the account's subscriptions.
///
/// # Errors
/// If the account is not open, has no customer, or has a subscription that has not ended.
pub fn customer_to_delete(account: &Account, at: Timestamp) -> Result<&ProviderId, Refusal> {
    let customer = customer(account)?;
    check_has_none(account.require_open()?, at)?;
    Ok(customer)
}

/// # Errors
/// If a subscription has not ended, even one that is not paid.
fn check_has_none(account: &OpenAccount, at: Timestamp) -> Result<(), Refusal> {
    match account.subscriptions.known().values().find(|terms| !terms.has_ended(at)) {
        Some(held) => Err(Refusal::SubscriptionActive { plan: held.plan.clone() }),
        None => Ok(()),
    }
}

/// Refuses a second subscription if only one is sold, since it would be paid for besides the first: a plan is changed,
/// and not bought again.
/// This holds until the first subscription has ended, even while it gives no plan: if it is past due, unpaid or
/// incomplete it may still be paid, and if it is paused it can go on.
/// A subscription that was ended counts as ended, even if it is paid for until later.
fn check_subscriptions(account: &OpenAccount, catalog: &Catalog, at: Timestamp) -> Result<(), Refusal> {
    if catalog.payments.several_subscriptions { Ok(()) } else { check_has_none(account, at) }
}

/// The checkout pages on which the account could still pay for a plan besides this one.
#[must_use]
pub fn superseded(
    account: &OpenAccount,
    catalog: &Catalog,
    wish: &PurchaseRequest,
    at: Timestamp,
) -> Vec<ProviderId> {
    match wish {
        PurchaseRequest::Plan { .. } if !catalog.payments.several_subscriptions => {
            account.sales.open_plans(at).collect()
        }
        PurchaseRequest::Plan { .. } | PurchaseRequest::Pack { .. } | PurchaseRequest::Credits(_) => {
            Vec::new()
        }
    }
}

/// Another subscription that gives a plan besides this one, if the account should have only one.
#[must_use]
pub fn beside<'a>(
    account: &'a OpenAccount,
    catalog: &Catalog,
    subscription: &ProviderId,
    at: Timestamp,
) -> Option<&'a ProviderId> {
    if catalog.payments.several_subscriptions {
        return None;
    }
    let gives = |terms: &&SubscriptionState| terms.status.gives_access() && !terms.has_ended(at);
    let mut giving = account.subscriptions.known().values().filter(gives);
    let is_giving = account.subscriptions.known().get(subscription).is_some_and(|terms| gives(&terms));
    let other = giving.find(|terms| terms.subscription != *subscription).filter(|_| is_giving);
    other.map(|terms| &terms.subscription)
}

/// The days of a trial. An account has only one.
fn trial_days(account: &OpenAccount, days: u16) -> Result<u16, Refusal> {
    let tried = account.subscriptions.known().values().any(|terms| terms.trial_end.is_some());
    if tried || days == 0 { Err(Refusal::NoTrial) } else { Ok(days) }
}

pub(super) fn price_id(price: &StripePrice) -> Result<String, Refusal> {
    let id = price.sale_id().map(str::to_owned);
    id.ok_or_else(|| Refusal::NotForSale(Unsold::NoPriceId { setting: price.setting.clone() }))
}
