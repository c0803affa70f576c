//! What happens when the items of a subscription change? The rest of the period is charged or credited.

use serde_json::Value;

use super::{
    collecting,
    invoices::{self, NewInvoice},
    pausing,
    payments::{Attempt, Presence, foresee, no_method},
    proration,
};
use crate::{
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        card::AUTHENTICATION_REQUIRED,
        invoice::InvoiceStatus,
        line::SandboxInvoiceLine,
        subscription::{SandboxSubscription, SubscriptionItem},
    },
};

/// A change of one item.
#[derive(Clone, Debug)]
pub struct ItemAmendment {
    /// `None`: a new item.
    pub item: Option<String>,
    pub price: Option<String>,
    pub quantity: Option<i64>,
    pub metadata: Option<ObjectMetadata>,
    pub deleted: bool,
}

/// When the difference is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proration {
    /// On the next invoice.
    Later,
    Now,
    Never,
}

impl Proration {
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("always_invoice") => Self::Now,
            Some("none") => Self::Never,
            Some(_) | None => Self::Later,
        }
    }
}

/// A requested update of a subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionUpdate {
    pub changes: Vec<ItemAmendment>,
    pub proration: Proration,
    /// The time from which the difference counts, in Unix seconds.
    pub at: i64,
    /// Whether a new period begins now.
    pub restart: bool,
    pub trial_end: Option<i64>,
    /// Whether the trial ends now.
    pub ends_trial: bool,
    /// The new end: `Some(None)` withdraws a cancellation.
    pub cancel_at: Option<Option<i64>>,
}

impl SubscriptionUpdate {
    pub const fn new(changes: Vec<ItemAmendment>, proration: Proration, at: i64) -> Self {
        let (restart, trial_end, ends_trial, cancel_at) = (false, None, false, None);
        Self { changes, proration, at, restart, trial_end, ends_trial, cancel_at }
    }
}

/// What happens to a change whose payment fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentBehavior {
    /// The change is refused.
    pub or_nothing: bool,
    /// The change waits until it is paid.
    pub when_paid: bool,
}

/// A calculated change that has not been applied.
pub struct Planned {
    pub after: SandboxSubscription,
    pub lines: Vec<SandboxInvoiceLine>,
    /// Whether a new period begins now, which is always invoiced at once.
    pub restarts: bool,
}

impl Planned {
    /// Whether the change is invoiced at once.
    pub fn asks(&self, proration: Proration) -> bool {
        !self.lines.is_empty() && (self.restarts || proration == Proration::Now)
    }
}

/// The order of an upgrade's events: the subscription is updated after it is paid.
const UPGRADE: &[&str] = &[
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "charge.pending",
    "charge.failed",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "customer.subscription.pending_update_applied",
    "customer.subscription.updated",
    "invoiceitem.created",
];

pub fn change_item(
    state: &mut SandboxState,
    after: &mut SandboxSubscription,
    change: &ItemAmendment,
) -> Result<(), SandboxFailure> {
    if let Some(price) = &change.price {
        let price =
            state.store.prices.get(price).map_err(|failure| failure.param("items[0][price]").status(400))?;
        if price.recurring.is_none() {
            return Err(SandboxFailure::invalid("The price specified is set to `type=one_time`.")
                .param("items[0][price]"));
        }
        if price.currency != after.currency {
            let message = format!("The price specified only supports `{}`.", price.currency);
            return Err(SandboxFailure::invalid(message).param("items[0][price]"));
        }
    }
    match &change.item {
        Some(id) => {
            let known = after.items.iter().position(|item| item.id == *id);
            let place = known.ok_or_else(|| SandboxFailure::no_such("subscription item", id).status(400))?;
            if change.deleted {
                after.items.remove(place);
            } else if let Some(item) = after.items.get_mut(place) {
                item.price = change.price.clone().unwrap_or_else(|| item.price.clone());
                item.quantity = change.quantity.unwrap_or(item.quantity);
                item.metadata = change.metadata.clone().unwrap_or_else(|| item.metadata.clone());
            }
        }
        None => {
            let price = change.price.clone().ok_or_else(|| SandboxFailure::missing("items[0][price]"))?;
            if after.items.iter().any(|item| item.price == price) {
                let message = format!("Cannot add multiple subscription items with the same plan: {price}");
                return Err(SandboxFailure::invalid(message).param("items"));
            }
            after.items.push(SubscriptionItem {
                id: state.store.ids.make("si"),
                created: state.store.now,
                price,
                quantity: change.quantity.unwrap_or(1),
                metadata: change.metadata.clone().unwrap_or_default(),
                period_start: after.period_start(),
                period_end: after.period_end(),
                discounts: Vec::new(),
            });
        }
    }
    Ok(())
}

/// Applies a planned change. The events of its invoice come before the subscription's update.
pub fn apply_change(
    state: &mut SandboxState,
    planned: Planned,
    proration: Proration,
    terms: PaymentBehavior,
) -> Result<(), SandboxFailure> {
    let asks = planned.asks(proration);
    let Planned { after, mut lines, restarts } = planned;
    let id = after.id.clone();
    if terms.or_nothing && asks {
        refuse_unpayable(state, &after, &lines)?;
    }
    proration::note_credits(state, &id, &lines)?;
    if terms.when_paid && asks {
        let place = state.outbox.place();
        change_when_paid(state, after, lines)?;
        state.outbox.arrange(place, UPGRADE);
        return Ok(());
    }
    let before = state.store.subscriptions.get(&id)?.render(&state.store);
    let pending = std::mem::take(&mut state.store.subscriptions.get_mut(&id)?.pending);
    state.store.subscriptions.put(SandboxSubscription { pending, ..after.clone() });
    let items = invoice_items(state, &after.customer, &lines);
    if !asks {
        state.store.subscriptions.get_mut(&id)?.pending.extend(lines);
        emit_items(state, items);
        return tell_change(state, &id, &before);
    }
    let place = state.outbox.place();
    if after.flexible || !restarts || proration != Proration::Now {
        let mut waiting = std::mem::take(&mut state.store.subscriptions.get_mut(&id)?.pending);
        waiting.append(&mut lines);
        lines = waiting;
    }
    state.quiet = Some(id.clone());
    let asked = ask_for_change(state, &after, lines);
    state.quiet = None;
    asked?;
    tell_change(state, &id, &before)?;
    emit_items(state, items);
    state.outbox.arrange(place, UPGRADE);
    Ok(())
}

fn ask_for_change(
    state: &mut SandboxState,
    after: &SandboxSubscription,
    lines: Vec<SandboxInvoiceLine>,
) -> Result<(), SandboxFailure> {
    let invoice = invoices::open_invoice(
        state,
        NewInvoice {
            customer: after.customer.clone(),
            subscription: Some(after.id.clone()),
            reason: "subscription_update",
            lines,
            period: (state.store.now, state.store.now),
            currency: after.currency.clone(),
        },
    )?;
    collecting::finalize_invoice(state, &invoice)?;
    if state.store.invoices.get(&invoice)?.paid_at.is_none() && after.is_automatic() {
        // Such an invoice is collected once, and not retried automatically.
        state.store.invoices.get_mut(&invoice)?.auto_advance = false;
        collecting::collect(state, &invoice, None, Presence::Absent)?;
    }
    Ok(())
}

/// The lines of a change as invoice items, with which they begin.
fn invoice_items(state: &SandboxState, customer: &str, lines: &[SandboxInvoiceLine]) -> Vec<Value> {
    lines.iter().filter_map(|line| line.as_invoice_item(customer, None, state.store.now)).collect()
}

fn emit_items(state: &mut SandboxState, items: Vec<Value>) {
    for item in items {
        state.emit("invoiceitem.created", item);
    }
}

fn tell_change(state: &mut SandboxState, id: &str, before: &Value) -> Result<(), SandboxFailure> {
    let after = state.store.subscriptions.get(id)?.render(&state.store);
    state.emit_change("customer.subscription.updated", before, after);
    Ok(())
}

fn refuse_unpayable(
    state: &SandboxState,
    after: &SandboxSubscription,
    lines: &[SandboxInvoiceLine],
) -> Result<(), SandboxFailure> {
    let balance = state.store.customers.get(&after.customer)?.balance;
    let total = lines.iter().fold(balance, |sum, line| sum.saturating_add(line.net()));
    if total <= 0 {
        return Ok(());
    }
    let of_customer = state.store.customers.get(&after.customer)?.default_payment_method.clone();
    let Some(method) = after.default_payment_method.clone().or(of_customer) else {
        return Err(no_method());
    };
    match foresee(state.store.payment_methods.get(&method)?, Presence::Absent) {
        Attempt::Succeeded | Attempt::Processing => Ok(()),
        Attempt::Declined(decline) => Err(decline.failure()),
        Attempt::RequiresAction => Err(AUTHENTICATION_REQUIRED.failure()),
    }
}

/// Makes a change that takes effect when it is paid.
pub fn change_when_paid(
    state: &mut SandboxState,
    after: SandboxSubscription,
    lines: Vec<SandboxInvoiceLine>,
) -> Result<(), SandboxFailure> {
    let id = after.id.clone();
    let invoice = invoices::open_invoice(
        state,
        NewInvoice {
            customer: after.customer.clone(),
            subscription: Some(id.clone()),
            reason: "subscription_update",
            lines,
            period: (state.store.now, state.store.now),
            currency: after.currency.clone(),
        },
    )?;
    let after = SandboxSubscription { latest_invoice: Some(invoice.clone()), ..after };
    state.quiet = Some(id.clone());
    let waits = pausing::wait_for(state, &id, after, &invoice, false);
    state.quiet = None;
    waits?;
    collecting::finalize_invoice(state, &invoice)?;
    if state.store.invoices.get(&invoice)?.status == InvoiceStatus::Open {
        state.store.invoices.get_mut(&invoice)?.auto_advance = false;
        state.quiet = Some(id.clone());
        let tried = collecting::collect(state, &invoice, None, Presence::Absent);
        state.quiet = None;
        tried?;
    }
    let row = state.store.subscriptions.get(&id)?;
    if row.pending_update.is_some() {
        let after = row.render(&state.store);
        let mut before = row.clone();
        before.pending_update = None;
        let before = before.render(&state.store);
        state.emit_change("customer.subscription.updated", &before, after);
    }
    Ok(())
}
