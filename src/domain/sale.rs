//! May this account buy that, and at which price? Asked before anything is sold; what was bought is for the payment
//! provider to report.

use super::{
    account::{Account, CustomerLink, OpenAccount},
    catalog::{Catalog, Interval, StripePrice},
    event::PaymentPurpose,
    names::{PackId, PlanId, ProviderId},
    refusal::Refusal,
    time::Timestamp,
};

/// What somebody wants to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Plan {
        plan: PlanId,
        interval: Interval,
        quantity: u32,
        /// Whether it begins with the days that the catalog gives for trying.
        trial: bool,
    },
    Pack {
        pack: PackId,
        quantity: u32,
    },
}

/// What is sold, and at which of the payment provider's prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub price_id: String,
    pub quantity: u32,
    /// How long nothing is charged, for a plan that begins with a trial.
    pub trial_days: Option<u16>,
    pub purpose: PaymentPurpose,
}

/// Finds the price of what is wanted.
///
/// # Errors
/// When the account is not open, the catalog does not sell it, or the account has a subscription and may have
/// only one.
pub fn sell(account: &Account, catalog: &Catalog, wish: &Wish, at: Timestamp) -> Result<Sale, Refusal> {
    let account = open(account)?;
    match wish {
        Wish::Plan { plan, interval, quantity, trial } => {
            check_subscriptions(account, catalog, at)?;
            let offer = catalog.plan(plan).ok_or_else(|| Refusal::UnknownPlan { plan: plan.clone() })?;
            let price = offer.price(*interval).ok_or(Refusal::NotForSale { setting: None })?;
            let days = offer.trial.map_or(catalog.payments.trial_days, |trial| trial.days);
            Ok(Sale {
                price_id: price_id(&price.stripe)?,
                quantity: *quantity,
                trial_days: if *trial { Some(trial_days(account, days)?) } else { None },
                purpose: PaymentPurpose::Subscription { subscription: None, plan: Some(plan.clone()) },
            })
        }
        Wish::Pack { pack, quantity } => {
            let offer = catalog.pack(pack).ok_or(Refusal::UnknownPack)?;
            Ok(Sale {
                price_id: price_id(&offer.stripe)?,
                quantity: *quantity,
                trial_days: None,
                purpose: PaymentPurpose::Pack { pack: pack.clone(), quantity: *quantity },
            })
        }
    }
}

/// The customer that an open account is at the payment provider; the first one, where several are linked.
///
/// # Errors
/// When the account is not open, or is no customer yet.
pub fn customer(account: &Account) -> Result<&ProviderId, Refusal> {
    find_customer(open(account)?).ok_or(Refusal::NoCustomer)
}

/// The customer that an account is linked to, if it is.
#[must_use]
pub fn find_customer(account: &OpenAccount) -> Option<&ProviderId> {
    let linked = account.customers.iter().find(|(_, link)| **link == CustomerLink::Linked);
    linked.map(|(customer, _)| customer)
}

/// The customer of an account that it ceases to be. With it would end, unasked, what it is subscribed to.
///
/// # Errors
/// When the account is not open, is no customer, or has a subscription.
pub fn leave(account: &Account, at: Timestamp) -> Result<&ProviderId, Refusal> {
    let customer = customer(account)?;
    match open(account)?.subscriptions.known().values().find(|terms| !terms.has_ended(at)) {
        Some(held) => Err(Refusal::SubscriptionActive { plan: held.plan.clone() }),
        None => Ok(customer),
    }
}

/// # Errors
/// When the account is not open.
pub const fn open(account: &Account) -> Result<&OpenAccount, Refusal> {
    match account {
        Account::Unopened => Err(Refusal::AccountNotFound),
        Account::Closed(_) => Err(Refusal::AccountClosed),
        Account::Open(account) => Ok(account),
    }
}

/// A second subscription would be paid for beside the first: a change of plan is not a sale.
fn check_subscriptions(account: &OpenAccount, catalog: &Catalog, at: Timestamp) -> Result<(), Refusal> {
    if catalog.payments.several_subscriptions {
        return Ok(());
    }
    match account.subscriptions.running(at).next() {
        Some(running) => Err(Refusal::SubscriptionActive { plan: running.plan.clone() }),
        None => Ok(()),
    }
}

/// One trial for an account: whoever had one has tried.
fn trial_days(account: &OpenAccount, days: u16) -> Result<u16, Refusal> {
    let tried = account.subscriptions.known().values().any(|terms| terms.trial_end.is_some());
    if tried || days == 0 { Err(Refusal::NoTrial) } else { Ok(days) }
}

pub(super) fn price_id(price: &StripePrice) -> Result<String, Refusal> {
    let id = price.sale_id().map(str::to_owned);
    id.ok_or_else(|| Refusal::NotForSale { setting: price.setting.clone() })
}
