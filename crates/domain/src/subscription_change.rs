//! May this subscription be changed so, and how is that paid for? The rules are asked before the payment provider,
//! which reports the result.

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

/// How long a price that was shown may be asked for.
pub const PREVIEW_HOLDS: TimeDelta = TimeDelta::hours(1);

/// What somebody wants to have instead. `None`: as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeRequest {
    pub plan: Option<PlanId>,
    pub interval: Option<Interval>,
    pub quantity: Option<u32>,
    /// From when on it is charged for, as a preview said.
    pub proration_date: Option<Timestamp>,
}

/// When the difference between two prices is charged, or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProrationBilling {
    AtOnce,
    NextInvoice,
    Never,
    /// Nothing: it is another price from the next period on.
    PeriodEnd,
}

/// A change that may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedChange {
    pub from: PlanSelection,
    pub to: PlanSelection,
    pub price_id: String,
    pub settlement: ProrationBilling,
    /// From when on the new price is charged for. `None` where nothing is prorated.
    pub proration_date: Option<Timestamp>,
    /// When it takes effect. `None`: now.
    pub at: Option<Timestamp>,
    /// Whether less is paid for it in a year.
    pub is_less: bool,
}

impl AllowedChange {
    /// Whether there is an invoice now. Another interval begins a new period, whatever is prorated.
    #[must_use]
    pub fn is_paid_at_once(&self) -> bool {
        let now = self.at.is_none();
        now && (self.settlement == ProrationBilling::AtOnce || self.from.interval != self.to.interval)
    }

    /// Whether money is taken for it that would not be taken without it. A year that becomes a month at once begins a
    /// month that is paid, though it is less.
    #[must_use]
    pub fn begins_charge(&self) -> bool {
        !self.is_less || (self.at.is_none() && self.from.interval != self.to.interval)
    }
}

/// What may be done to a subscription of an account as it was reported last. That of a closed one can only end. Where
/// nothing is sold, it can become less.
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

/// The same, of an open account.
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

/// The subscription that is meant: the one with this id, else the only one that has not ended. That of a closed account
/// is found, too: it may be charged for until it is cancelled.
///
/// # Errors
/// When there is no such account, or it has no such subscription, or several.
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

/// What the provider's page to look after a subscription is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// All that it offers, changes of plan among it.
    Whole,
    /// To end this subscription, and for nothing else.
    Cancellation(ProviderId),
    /// For another way to pay, and nothing else.
    PaymentMethod,
}

/// The page offers larger plans wherever there is a subscription. Where nothing is sold it is opened for one thing
/// alone:
/// to end the subscription, or, when that ends already, for what is left to be paid.
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
/// When the subscription is not in a state for this step; the refusal says for which it is.
pub fn check(terms: &SubscriptionState, step: SubscriptionAction) -> Result<(), Refusal> {
    let allowed = allowed(terms);
    if allowed.contains(&step) {
        return Ok(());
    }
    Err(Refusal::SubscriptionState { step, terms: Box::new(terms.clone()), allowed: allowed.to_vec() })
}

/// # Errors
/// When the subscription cannot be cancelled, or ends with its period already.
pub fn cancel(terms: &SubscriptionState, when: CancelAt) -> Result<(), Refusal> {
    check(terms, SubscriptionAction::Cancel)?;
    match when {
        CancelAt::PeriodEnd if terms.cancel_at.is_some() => Err(Refusal::NothingToChange { held: None }),
        CancelAt::PeriodEnd | CancelAt::Now => Ok(()),
    }
}

/// Works out a change of what is held now, as the payment provider says, to what is wanted.
///
/// # Errors
/// When the subscription is in no state for it, the catalog does not sell it, it is so already, or the preview that it
/// refers to is too old.
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
/// When more would be taken, and nothing is sold to the account.
pub fn check_sold(change: &AllowedChange, billing: BillingState) -> Result<(), Refusal> {
    if change.begins_charge() { billing.check() } else { Ok(()) }
}

/// Whether what is paused may go on: one that stands still begins a new period, which is paid at once; the other goes
/// on as it was bought.
///
/// # Errors
/// When money would be taken at once, and nothing is sold to the account.
pub fn check_resumed(terms: &SubscriptionState, billing: BillingState) -> Result<(), Refusal> {
    if stands_still(terms) { billing.check() } else { Ok(()) }
}

/// Whether no period of it runs, as after a trial without a card.
#[must_use]
pub const fn stands_still(terms: &SubscriptionState) -> bool {
    matches!(terms.status, SubscriptionStatus::Paused)
}

/// A change inside of a period gives back what is left of what was charged for, also where nobody has paid it.
///
/// # Errors
/// When it does, and an earlier change of the period is not paid.
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

/// When a change to less takes effect: what was paid for is kept until then. `None`: now, by the catalog, or because
/// nothing was paid yet.
fn waits(terms: &SubscriptionState, catalog: &Catalog) -> Option<Timestamp> {
    match (catalog.payments.downgrade, terms.status) {
        (Downgrade::AtOnce, _) | (_, SubscriptionStatus::Trialing) => None,
        (Downgrade::PeriodEnd, _) => Some(terms.period.end),
    }
}

/// Whether it is a lower price, or a year that becomes a month of no larger plan and of no more of it: a month is
/// dearer than a twelfth of the year because it is a month, and brings no more. A month that becomes a year is paid at
/// once, whatever the year costs.
fn is_less(catalog: &Catalog, from: &PlanSelection, to: &PlanSelection) -> Result<bool, Refusal> {
    let (before, after) = (in_a_year(catalog, from)?, in_a_year(catalog, to)?);
    Ok(match (from.interval, to.interval) {
        (Interval::Month, Interval::Year) => false,
        (Interval::Year, Interval::Month) => {
            let monthly = PlanSelection { interval: Interval::Month, ..from.clone() };
            // A plan that has no price for a month is compared by what it costs.
            after <= in_a_year(catalog, &monthly).unwrap_or(before)
        }
        (Interval::Month, Interval::Month) | (Interval::Year, Interval::Year) => after < before,
    })
}

/// The credits that it gives for each month.
///
/// # Errors
/// When the catalog has no such plan, or they are more than an amount can hold.
pub fn monthly(catalog: &Catalog, order: &PlanSelection) -> Result<Credits, Refusal> {
    let plan = catalog.terms_of(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    // What costs nothing is had once.
    let is_free = plan.price_of_old(order.interval).is_some_and(|price| price.amount.minor == 0);
    let quantity = if is_free { order.quantity.min(1) } else { order.quantity };
    plan.monthly(quantity).ok_or(Refusal::AmountTooLarge)
}

/// What one interval of it costs, before discounts and taxes.
///
/// # Errors
/// When the catalog has no such price, or it is more than an amount can hold.
pub fn cost(catalog: &Catalog, order: &PlanSelection) -> Result<Money, Refusal> {
    let amount = &price(catalog, order)?.amount;
    let minor = amount.minor.checked_mul(i64::from(order.quantity)).ok_or(Refusal::AmountTooLarge)?;
    Ok(Money { minor, currency: amount.currency.clone() })
}

/// What somebody may change to: a plan that is sold.
fn offer<'a>(catalog: &'a Catalog, order: &PlanSelection) -> Result<&'a PlanPrice, Refusal> {
    let plan = catalog.plan(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    plan.offer(order.interval).map_err(Refusal::NotForSale)
}

/// What it costs, also where it is not sold any more: somebody may have it.
fn price<'a>(catalog: &'a Catalog, order: &PlanSelection) -> Result<&'a PlanPrice, Refusal> {
    let plan = catalog.terms_of(&order.plan);
    let plan = plan.ok_or_else(|| Refusal::UnknownPlan { plan: order.plan.clone() })?;
    plan.price_of_old(order.interval).ok_or(Refusal::NotForSale(Unsold::NoPrice))
}

/// More is paid for at once. Less is given back as the catalog says, and so is everything where it says that nothing
/// is prorated. Another interval begins a new period, which is always charged at once.
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

/// What it costs in a year, in minor units.
fn in_a_year(catalog: &Catalog, order: &PlanSelection) -> Result<i128, Refusal> {
    let minor = i128::from(price(catalog, order)?.amount.minor);
    let times = 12_i128.checked_div(i128::from(order.interval.months())).unwrap_or(1);
    Ok(minor.saturating_mul(times).saturating_mul(i128::from(order.quantity)))
}

/// The whole second from which on the change counts: what was shown, while that holds, else now.
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
