//! May this subscription be changed so, and how is that paid for?
//! These rules are checked before the payment provider is called, which reports the result.

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    account::{Account, OpenAccount},
    amount::{Credits, Money},
    catalog::{Catalog, Downgrade, Interval, PlanPrice},
    ids::{PlanId, ProviderId},
    purchase,
    refusal::Refusal,
    rollout::BillingState,
    subscription::{SubscriptionState, SubscriptionStatus},
    time::Timestamp,
    unsold::Unsold,
};

pub use super::requested::{CancelAt, PlanSelection, SubscriptionAction};

/// For how long after a preview its price can be requested.
pub const PREVIEW_HOLDS: TimeDelta = TimeDelta::hours(1);

/// What a caller wants to change. `None`: as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeRequest {
    pub plan: Option<PlanId>,
    pub interval: Option<Interval>,
    pub quantity: Option<u32>,
    /// From when on the new price is charged, as a preview said.
    pub proration_date: Option<Timestamp>,
}

/// When the difference between two prices is charged or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProrationBilling {
    AtOnce,
    NextInvoice,
    Never,
    /// The difference is not charged: the new price holds from the next period on.
    PeriodEnd,
}

/// A change that the rules allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedChange {
    pub from: PlanSelection,
    pub to: PlanSelection,
    pub price_id: String,
    pub settlement: ProrationBilling,
    /// From when on the new price is charged. `None`: nothing is prorated.
    pub proration_date: Option<Timestamp>,
    /// When it takes effect. `None`: now.
    pub at: Option<Timestamp>,
    /// Whether it costs less in a year.
    pub is_less: bool,
}

impl AllowedChange {
    /// Whether an invoice is made now. Another interval begins a new period, even if nothing is prorated.
    #[must_use]
    pub fn is_paid_at_once(&self) -> bool {
        let now = self.at.is_none();
        now && (self.settlement == ProrationBilling::AtOnce || self.from.interval != self.to.interval)
    }

    /// Whether it takes money that would not be taken otherwise.
    /// A change from yearly to monthly that takes effect at once does, since it begins a month that is paid, even if it
    /// is less.
    #[must_use]
    pub fn begins_charge(&self) -> bool {
        !self.is_less || (self.at.is_none() && self.from.interval != self.to.interval)
    }
}

/// What may be done to a subscription, by its newest report.
/// That of a closed account can only end, and if nothing is sold to the account, it can only become less.
#[must_use]
pub fn allowed_to(
    account: &Account,
    billing: BillingState,
    terms: &SubscriptionState,
) -> Vec<SubscriptionAction> {
    let only_end = matches!(account, Account::Closed(_));
    let is_sold = |step: &SubscriptionAction| {
        *step != SubscriptionAction::Resume || check_resumed(terms, billing).is_ok()
    };
    let allowed = allowed(terms).iter().copied();
    allowed.filter(|step| !only_end || *step == SubscriptionAction::Cancel).filter(is_sold).collect()
}

/// The same, for an open account to which something is sold.
#[must_use]
pub const fn allowed(terms: &SubscriptionState) -> &'static [SubscriptionAction] {
    let ends = terms.cancel_at.is_some();
    match (terms.status, terms.collection_paused, ends) {
        (SubscriptionStatus::Cancelled, _, _) => &[],
        (
            SubscriptionStatus::Incomplete | SubscriptionStatus::Unpaid | SubscriptionStatus::PastDue,
            _,
            false,
        ) => &[SubscriptionAction::Cancel],
        (SubscriptionStatus::Paused, _, false)
        | (SubscriptionStatus::Trialing | SubscriptionStatus::Active, true, false) => {
            &[SubscriptionAction::Resume, SubscriptionAction::Cancel]
        }
        (SubscriptionStatus::Paused, _, true)
        | (SubscriptionStatus::Trialing | SubscriptionStatus::Active, true, true) => &[
            SubscriptionAction::Resume,
            SubscriptionAction::WithdrawCancellation,
            SubscriptionAction::Cancel,
        ],
        (SubscriptionStatus::Trialing, false, false) => {
            &[SubscriptionAction::Change, SubscriptionAction::Cancel]
        }
        (SubscriptionStatus::Active, false, false) => {
            &[SubscriptionAction::Change, SubscriptionAction::Cancel, SubscriptionAction::Pause]
        }
        (_, _, true) => &[SubscriptionAction::WithdrawCancellation, SubscriptionAction::Cancel],
    }
}

/// The subscription with this id, or else the only one that has not ended.
/// Subscriptions of closed accounts are found, too, since they may be charged for until they are cancelled.
///
/// # Errors
/// If the account does not exist, or has no such subscription, or several.
pub fn find<'a>(
    account: &'a Account,
    named: Option<&ProviderId>,
    at: Timestamp,
) -> Result<&'a SubscriptionState, Refusal> {
    let known = account.opened().ok_or(Refusal::AccountNotFound)?.subscriptions.known();
    if let Some(named) = named {
        return known.get(named).ok_or(Refusal::SubscriptionNotFound);
    }
    let going: Vec<&SubscriptionState> = known.values().filter(|terms| !terms.has_ended(at)).collect();
    match going.as_slice() {
        [] => Err(Refusal::NoSubscription),
        [only] => Ok(only),
        several => {
            let subscriptions = several.iter().map(|terms| terms.subscription.clone()).collect();
            Err(Refusal::SeveralSubscriptions { subscriptions })
        }
    }
}

/// What the customer portal is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// All that it offers, including changes of plan.
    Whole,
    /// Only to cancel this subscription.
    Cancellation(ProviderId),
    /// Only to change the payment method.
    PaymentMethod,
}

/// What the customer portal may offer.
/// It offers larger plans if there is a subscription, so that, if nothing is sold to the account, it is only opened for
/// cancelling, or for the payment method if the subscription ends already.
#[must_use]
pub fn page(account: &OpenAccount, billing: BillingState, at: Timestamp) -> Page {
    let mut going = account.subscriptions.known().values().filter(|terms| !terms.has_ended(at)).peekable();
    if billing.is_on() || going.peek().is_none() {
        return Page::Whole;
    }
    let staying = going.find(|terms| terms.cancel_at.is_none());
    staying.map_or(Page::PaymentMethod, |terms| Page::Cancellation(terms.subscription.clone()))
}

/// # Errors
/// If the subscription's state does not allow this step. The refusal says which steps it allows.
pub fn check(terms: &SubscriptionState, step: SubscriptionAction) -> Result<(), Refusal> {
    let allowed = allowed(terms);
    if allowed.contains(&step) {
        return Ok(());
    }
    Err(Refusal::SubscriptionState { step, terms: Box::new(terms.clone()), allowed: allowed.to_vec() })
}

/// # Errors
/// If the subscription cannot be cancelled, or already ends with its period.
pub fn cancel(terms: &SubscriptionState, when: CancelAt) -> Result<(), Refusal> {
    check(terms, SubscriptionAction::Cancel)?;
    match when {
        CancelAt::PeriodEnd if terms.cancel_at.is_some() => Err(Refusal::NothingToChange { held: None }),
        CancelAt::PeriodEnd | CancelAt::Now => Ok(()),
    }
}

/// Computes a change from what the payment provider says is held now to what is requested.
///
/// # Errors
/// If the subscription's state does not allow it, the catalog does not sell it, nothing would change, or the preview
/// that the request refers to is too old.
pub fn change(
    terms: &SubscriptionState,
    catalog: &Catalog,
    held: &PlanSelection,
    wish: &ChangeRequest,
    at: Timestamp,
) -> Result<AllowedChange, Refusal> {
    check(terms, SubscriptionAction::Change)?;
    let to = PlanSelection {
        plan: wish.plan.clone().unwrap_or_else(|| held.plan.clone()),
        interval: wish.interval.unwrap_or(held.interval),
        quantity: wish.quantity.unwrap_or(held.quantity),
    };
    if to == *held {
        return Err(Refusal::NothingToChange { held: Some(to) });
    }
    let price = offer(catalog, &to)?;
    let is_less = is_less(catalog, held, &to)?;
    let ends = if is_less { waits(terms, catalog) } else { None };
    let settlement =
        if ends.is_some() { ProrationBilling::PeriodEnd } else { settlement(catalog, held, &to)? };
    let proration_date = match settlement {
        ProrationBilling::Never | ProrationBilling::PeriodEnd => None,
        ProrationBilling::AtOnce | ProrationBilling::NextInvoice => Some(proration_date(terms, wish, at)?),
    };
    let price_id = purchase::price_id(&price.stripe)?;
    Ok(AllowedChange { from: held.clone(), to, price_id, settlement, proration_date, at: ends, is_less })
}

/// # Errors
/// If the change takes more money, and nothing is sold to the account.
pub fn check_sold(change: &AllowedChange, billing: BillingState) -> Result<(), Refusal> {
    if change.begins_charge() { billing.check() } else { Ok(()) }
}

/// Whether a paused subscription may be resumed.
/// One whose status is paused begins a new period that is paid at once; one whose collection is paused goes on as it
/// was bought.
///
/// # Errors
/// If money would be taken at once, and nothing is sold to the account.
pub fn check_resumed(terms: &SubscriptionState, billing: BillingState) -> Result<(), Refusal> {
    if stands_still(terms) { billing.check() } else { Ok(()) }
}

/// Whether the subscription has no running period, as after a trial without a payment method.
#[must_use]
pub const fn stands_still(terms: &SubscriptionState) -> bool {
    matches!(terms.status, SubscriptionStatus::Paused)
}

/// Refuses a change that would give back a charge that was not paid.
///
/// # Errors
/// If an earlier change of the period is not paid, and this one would give it back.
pub fn check_is_paid(
    account: &Account,
    subscription: &ProviderId,
    change: &AllowedChange,
    at: Timestamp,
) -> Result<(), Refusal> {
    let gives_back = matches!(change.settlement, ProrationBilling::AtOnce | ProrationBilling::NextInvoice);
    let facts = account.opened().and_then(|account| account.subscriptions.facts().get(subscription));
    let unpaid = facts.and_then(|facts| facts.unpaid_change(at)).filter(|_| gives_back);
    unpaid.map_or(Ok(()), |unpaid| {
        Err(Refusal::ChangeUnpaid { invoice: unpaid.invoice.clone(), state: unpaid.state })
    })
}

/// When a change to less takes effect: at the end of what is paid.
/// `None`: now, because the catalog says so or nothing was paid yet.
fn waits(terms: &SubscriptionState, catalog: &Catalog) -> Option<Timestamp> {
    match (catalog.payments.downgrade, terms.status) {
        (Downgrade::AtOnce, _) | (_, SubscriptionStatus::Trialing) => None,
        (Downgrade::PeriodEnd, _) => Some(terms.period.end),
    }
}

/// Whether the price for a year is lower.
/// A change from yearly to monthly is less if it is for no larger plan and quantity, although twelve months usually
/// cost more than a year.
/// A change from monthly to yearly is paid at once, whatever the year costs, so it is not less.
fn is_less(catalog: &Catalog, from: &PlanSelection, to: &PlanSelection) -> Result<bool, Refusal> {
    let (before, after) = (in_a_year(catalog, from)?, in_a_year(catalog, to)?);
    Ok(match (from.interval, to.interval) {
        (Interval::Month, Interval::Year) => false,
        (Interval::Year, Interval::Month) => {
            let monthly = PlanSelection { interval: Interval::Month, ..from.clone() };
            // A plan without a monthly price is compared by what it costs.
            after <= in_a_year(catalog, &monthly).unwrap_or(before)
        }
        (Interval::Month, Interval::Month) | (Interval::Year, Interval::Year) => after < before,
    })
}

/// The credits that it gives each month.
///
/// # Errors
/// If the catalog has no such plan, or an amount cannot hold them.
pub fn monthly(catalog: &Catalog, order: &PlanSelection) -> Result<Credits, Refusal> {
    let plan = catalog.terms_of(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    // A free plan gives its credits once, whatever the quantity.
    let is_free = plan.price_of_old(order.interval).is_some_and(|price| price.amount.minor == 0);
    let quantity = if is_free { order.quantity.min(1) } else { order.quantity };
    plan.monthly(quantity).ok_or(Refusal::AmountTooLarge)
}

/// The price for one interval, before discounts and taxes.
///
/// # Errors
/// If the catalog has no such price, or an amount cannot hold it.
pub fn cost(catalog: &Catalog, order: &PlanSelection) -> Result<Money, Refusal> {
    let amount = &price(catalog, order)?.amount;
    let minor = amount.minor.checked_mul(i64::from(order.quantity)).ok_or(Refusal::AmountTooLarge)?;
    Ok(Money { minor, currency: amount.currency.clone() })
}

/// The price of a plan that can be changed to, because it is sold.
fn offer<'a>(catalog: &'a Catalog, order: &PlanSelection) -> Result<&'a PlanPrice, Refusal> {
    let plan = catalog.plan(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    plan.offer(order.interval).map_err(Refusal::NotForSale)
}

/// The price, even if it is no longer sold, since the account may have it.
fn price<'a>(catalog: &'a Catalog, order: &PlanSelection) -> Result<&'a PlanPrice, Refusal> {
    let plan = catalog.terms_of(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    plan.price_of_old(order.interval).ok_or(Refusal::NotForSale(Unsold::NoPrice))
}

/// When the difference is charged or given back: more is charged at once, less as the catalog says.
/// If the catalog prorates nothing, that holds for both, but another interval begins a new period, which is always
/// charged at once.
fn settlement(
    catalog: &Catalog,
    from: &PlanSelection,
    to: &PlanSelection,
) -> Result<ProrationBilling, Refusal> {
    let of_catalog = match catalog.payments.proration.as_str() {
        "always_invoice" => ProrationBilling::AtOnce,
        "none" => ProrationBilling::Never,
        _ => ProrationBilling::NextInvoice,
    };
    let rises = in_a_year(catalog, to)? > in_a_year(catalog, from)?;
    Ok(match (of_catalog, from.interval == to.interval) {
        (ProrationBilling::Never, _) => ProrationBilling::Never,
        (_, false) => ProrationBilling::AtOnce,
        (_, true) if rises => ProrationBilling::AtOnce,
        (of_catalog, true) => of_catalog,
    })
}

/// The price for a year, in minor units.
fn in_a_year(catalog: &Catalog, order: &PlanSelection) -> Result<i128, Refusal> {
    let minor = i128::from(price(catalog, order)?.amount.minor);
    let times = 12_i128.checked_div(i128::from(order.interval.months())).unwrap_or(1);
    Ok(minor.saturating_mul(times).saturating_mul(i128::from(order.quantity)))
}

/// From which whole second on the new price is charged: as the preview said, if that still holds, else from now.
fn proration_date(
    terms: &SubscriptionState,
    wish: &ChangeRequest,
    at: Timestamp,
) -> Result<Timestamp, Refusal> {
    let now = Timestamp::from_seconds(at.seconds()).unwrap_or(at);
    let wanted = wish.proration_date.unwrap_or(now);
    let oldest = at.minus(PREVIEW_HOLDS).max(terms.period.start);
    if (oldest..=at).contains(&wanted) { Ok(wanted) } else { Err(Refusal::PreviewExpired { oldest }) }
}
