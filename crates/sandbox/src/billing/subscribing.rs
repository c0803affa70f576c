//! How does a subscription begin, and how is it renewed?

use super::{
    collecting, discounting,
    invoices::{self, NewInvoice},
    payments::{Attempt, Presence, foresee, no_method},
    phases::{self, AtBoundary},
    proration::{period_line, single_line, stub_line, trial_line},
};
use crate::{
    calendar::{self, HOUR_S},
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        coupon::Redeemed,
        line::SandboxInvoiceLine,
        subscription::{PauseCollection, SandboxSubscription, SandboxSubscriptionStatus, SubscriptionItem},
    },
};

/// An item of a new subscription.
#[derive(Clone, Debug)]
pub struct NewItem {
    pub price: String,
    pub quantity: i64,
    pub metadata: ObjectMetadata,
    pub discounts: Vec<Redeemed>,
}

/// How the first invoice is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// It stays open until a person pays it.
    Later,
    /// It is collected at once. If that fails, the subscription is incomplete.
    Try(Presence),
    /// If it cannot be paid, the subscription is not made.
    OrNothing,
}

#[derive(Clone, Debug)]
pub struct NewSubscription {
    pub customer: String,
    pub items: Vec<NewItem>,
    pub first: First,
    pub flexible: bool,
    pub trial_end: Option<i64>,
    /// When whole periods begin, in Unix seconds. The time until then is a part of a period.
    pub anchor: Option<i64>,
    /// The time from which the subscription is charged, in Unix seconds.
    pub backdate: Option<i64>,
    /// Whether the part of a period before the anchor is charged.
    pub prorates: bool,
    pub trial_without_method: String,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub automatic: bool,
    pub days_until_due: Option<i64>,
    pub default_payment_method: Option<String>,
    pub description: Option<String>,
    pub metadata: ObjectMetadata,
    pub pause_collection: Option<PauseCollection>,
    pub discounts: Vec<Redeemed>,
    /// Single sales on the first invoice: the ids of prices, with a quantity each.
    pub once: Vec<(String, i64)>,
    /// The checkout session that makes it.
    pub session: Option<String>,
}

pub fn subscribe(state: &mut SandboxState, new: NewSubscription) -> Result<String, SandboxFailure> {
    if new.first == First::OrNothing && new.trial_end.is_none() {
        refuse_what_fails(state, &new)?;
    }
    let place = state.outbox.place();
    let (first, prorates, once) = (new.first, new.prorates, new.once.clone());
    let (discounts, session) = (new.discounts.clone(), new.session.clone());
    let of_items: Vec<Vec<Redeemed>> = new.items.iter().map(|item| item.discounts.clone()).collect();
    let mut subscription = build(state, new)?;
    let id = subscription.id.clone();
    for redeemed in &discounts {
        let of = subscription.customer.clone();
        let discount = discounting::redeem(state, redeemed, &of, Some(&id), None, session.as_deref())?;
        subscription.discounts.push(discount);
    }
    for (item, discounts) in subscription.items.iter_mut().zip(&of_items) {
        for redeemed in discounts {
            let (of, own) = (subscription.customer.clone(), item.id.clone());
            let discount =
                discounting::redeem(state, redeemed, &of, Some(&id), Some(&own), session.as_deref())?;
            item.discounts.push(discount);
        }
    }
    let (customer, currency) = (subscription.customer.clone(), subscription.currency.clone());
    for (price, quantity) in &once {
        subscription.pending.push(single_line(state, &subscription, price, *quantity)?);
    }
    state.store.subscriptions.put(subscription);
    if state.store.customers.get(&customer)?.currency.is_none() {
        state.change_customer(&customer, |row| row.currency = Some(currency))?;
    }
    // Its creation is emitted once, with the state after the first payment.
    state.quiet = Some(id.clone());
    let asked = first_invoice(state, &id, first, prorates);
    state.quiet = None;
    asked?;
    let object = state.store.subscriptions.get(&id)?.render(&state.store);
    state.emit_at(place, "customer.subscription.created", object);
    Ok(id)
}

fn refuse_what_fails(state: &SandboxState, new: &NewSubscription) -> Result<(), SandboxFailure> {
    let of_customer = state.store.customers.get(&new.customer)?.default_payment_method.clone();
    let Some(method) = new.default_payment_method.clone().or(of_customer) else {
        return Err(no_method());
    };
    match foresee(state.store.payment_methods.get(&method)?, Presence::Absent) {
        Attempt::Succeeded | Attempt::Processing => Ok(()),
        Attempt::Declined(decline) => Err(decline.failure()),
        Attempt::RequiresAction => {
            let message = "Payment for this subscription requires additional user action before it can be \
                           completed successfully.";
            Err(SandboxFailure::card("subscription_payment_intent_requires_action", None, message))
        }
    }
}

pub fn build(state: &mut SandboxState, new: NewSubscription) -> Result<SandboxSubscription, SandboxFailure> {
    let now = state.store.now;
    let trial_end = new.trial_end.filter(|end| *end > now);
    let start = new.backdate.filter(|start| *start < now).unwrap_or(now);
    let since = if new.flexible { start } else { now };
    let anchor = trial_end.or(new.anchor.filter(|anchor| *anchor > now)).unwrap_or(since);
    let id = state.store.ids.make("sub");
    let (items, currency) = items_of(state, new.items, anchor, trial_end)?;
    let asked = new.cancel_at_period_end || new.cancel_at.is_some();
    let is_trial = trial_end.is_some();
    let status =
        if is_trial { SandboxSubscriptionStatus::Trialing } else { SandboxSubscriptionStatus::Incomplete };
    Ok(SandboxSubscription {
        id,
        created: now,
        start_date: start,
        customer: new.customer,
        status,
        items,
        currency: currency.unwrap_or_default(),
        billing_cycle_anchor: anchor,
        flexible: new.flexible,
        cancel_at: new.cancel_at,
        cancel_at_period_end: new.cancel_at_period_end,
        canceled_at: asked.then_some(now),
        ended_at: None,
        cancellation_reason: asked.then(|| "cancellation_requested".to_owned()),
        cancellation_comment: None,
        cancellation_feedback: None,
        collection_method: if new.automatic { "charge_automatically" } else { "send_invoice" }.to_owned(),
        days_until_due: new.days_until_due,
        default_payment_method: new.default_payment_method,
        discounts: Vec::new(),
        description: new.description,
        latest_invoice: None,
        metadata: new.metadata,
        pause_collection: new.pause_collection,
        save_default_payment_method: "off".to_owned(),
        trial_start: trial_end.map(|_| now),
        trial_end,
        trial_without_method: new.trial_without_method,
        trial_end_told: false,
        paused: None,
        schedule: None,
        pending_update: None,
        pending: Vec::new(),
    })
}

/// The items of a new subscription, and their currency.
fn items_of(
    state: &mut SandboxState,
    asked: Vec<NewItem>,
    anchor: i64,
    trial_end: Option<i64>,
) -> Result<(Vec<SubscriptionItem>, Option<String>), SandboxFailure> {
    let now = state.store.now;
    let mut items = Vec::with_capacity(asked.len());
    let mut currency = None;
    for item in asked {
        let price = state.store.prices.get(&item.price);
        let price = price.map_err(|failure| failure.param("items[0][price]").status(400))?;
        let recurring = price.recurring.ok_or_else(|| {
            let message = "The price specified is set to `type=one_time` but this field only accepts prices with \
                           `type=recurring`.";
            SandboxFailure::invalid(message).param("items[0][price]")
        })?;
        currency = Some(price.currency.clone());
        let next = if anchor > now { anchor } else { calendar::period_end(anchor, recurring, now) };
        let period_end = trial_end.unwrap_or(next);
        let period_start =
            if anchor < now { calendar::period_start(anchor, recurring, period_end) } else { now };
        items.push(SubscriptionItem {
            id: state.store.ids.make("si"),
            created: now,
            price: item.price,
            quantity: item.quantity,
            metadata: item.metadata,
            period_start,
            period_end,
            discounts: Vec::new(),
        });
    }
    Ok((items, currency))
}

fn first_invoice(
    state: &mut SandboxState,
    id: &str,
    first: First,
    prorates: bool,
) -> Result<(), SandboxFailure> {
    let row = state.store.subscriptions.get(id)?.clone();
    let trial = row.status == SandboxSubscriptionStatus::Trialing;
    let mut lines = first_lines(state, &row, prorates)?;
    lines.append(&mut state.store.subscriptions.get_mut(id)?.pending);
    let invoice = invoices::open_invoice(
        state,
        NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(row.id.clone()),
            reason: "subscription_create",
            lines,
            period: (state.store.now, state.store.now),
            currency: row.currency.clone(),
        },
    )?;
    if !row.is_automatic() && !trial {
        state.store.subscriptions.get_mut(id)?.status = SandboxSubscriptionStatus::Active;
    }
    collecting::finalize_invoice(state, &invoice)?;
    let open = state.store.invoices.get(&invoice)?.paid_at.is_none();
    if open && row.is_automatic() {
        match first {
            First::Later => {}
            First::Try(presence) => drop(collecting::collect(state, &invoice, None, presence)?),
            First::OrNothing => drop(collecting::collect(state, &invoice, None, Presence::Absent)?),
        }
    }
    Ok(())
}

fn first_lines(
    state: &SandboxState,
    row: &SandboxSubscription,
    prorates: bool,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = Vec::new();
    for item in &row.items {
        let period = (item.period_start, item.period_end);
        if row.status == SandboxSubscriptionStatus::Trialing {
            lines.push(trial_line(state, row, item, period)?);
        } else if row.billing_cycle_anchor > state.store.now {
            if prorates {
                lines.push(stub_line(state, row, item, period)?);
            }
        } else {
            lines.extend(past_lines(state, row, item)?);
            lines.push(cycle_line(state, row, item)?);
        }
    }
    Ok(lines)
}

/// The charge for backdated time: one line in the classic mode, and one per period in the flexible mode.
fn past_lines(
    state: &SandboxState,
    row: &SandboxSubscription,
    item: &SubscriptionItem,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    if row.start_date >= item.period_start {
        return Ok(Vec::new());
    }
    let recurring = state.store.prices.get(&item.price)?.recurring;
    let Some(recurring) = recurring.filter(|_| row.flexible) else {
        return Ok(vec![stub_line(state, row, item, (row.start_date, item.period_start))?]);
    };
    let mut lines = Vec::new();
    let mut start = row.start_date;
    while start < item.period_start {
        let end = calendar::period_end(row.billing_cycle_anchor, recurring, start);
        lines.push(period_line(state, row, item, (start, end))?);
        start = end;
    }
    Ok(lines)
}

/// The line for a renewed period, which the end of the subscription may cut short.
fn cycle_line(
    state: &SandboxState,
    row: &SandboxSubscription,
    item: &SubscriptionItem,
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let period = (item.period_start, item.period_end);
    match row.cancel_at.filter(|at| *at > period.0 && *at < period.1) {
        Some(at) => stub_line(state, row, item, (period.0, at)),
        None => period_line(state, row, item, period),
    }
}

/// The invoice for the current period and for pending items.
fn cycle_invoice(
    state: &mut SandboxState,
    row: &SandboxSubscription,
    reason: &'static str,
) -> Result<String, SandboxFailure> {
    let mut lines = std::mem::take(&mut state.store.subscriptions.get_mut(&row.id)?.pending);
    for item in &row.items {
        lines.push(cycle_line(state, row, item)?);
    }
    // The period of a renewal's invoice is the one that has just ended.
    let cycle = reason == "subscription_cycle";
    let period = if cycle {
        (row.created.max(before(state, row)), state.store.now)
    } else {
        (state.store.now, state.store.now)
    };
    invoices::open_invoice(
        state,
        NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(row.id.clone()),
            reason,
            lines,
            period,
            currency: row.currency.clone(),
        },
    )
}

/// When the previous period began, taken from the latest invoice.
fn before(state: &SandboxState, row: &SandboxSubscription) -> i64 {
    let last = row.latest_invoice.as_deref().and_then(|id| state.store.invoices.find(id));
    last.map_or(row.created, |invoice| invoice.created)
}

/// Begins the next period, in the next phase if there is one. Its invoice is a draft for an hour.
pub fn renew(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let mut row = state.store.subscriptions.get(id)?.clone();
    let before = row.render(&state.store);
    let schedule = row.schedule.as_deref().and_then(|id| state.store.schedules.find(id)).cloned();
    let boundary = row.period_end();
    let at = phases::enter_phase(state, &mut row, boundary)?;
    if let (AtBoundary::Ends, Some(schedule)) = (at, &schedule) {
        return phases::finish_schedule(state, &schedule.id, at);
    }
    begin_period(state, &mut row)?;
    state.store.subscriptions.put(row.clone());
    let place = state.outbox.place();
    let invoice = cycle_invoice(state, &row, "subscription_cycle")?;
    let after = state.store.subscriptions.get(id)?.render(&state.store);
    state.emit_change_at(place, "customer.subscription.updated", &before, after);
    if let Some(schedule) = schedule {
        phases::tell_phase(state, &schedule.id, &schedule)?;
        phases::finish_schedule(state, &schedule.id, at)?;
    }
    let (now, keeps) = (state.store.now, keeps_drafts(&row));
    let invoice = state.store.invoices.get_mut(&invoice)?;
    invoice.finalizes_at = (!keeps).then(|| now.saturating_add(HOUR_S));
    invoice.auto_advance = !keeps;
    Ok(())
}

fn begin_period(state: &SandboxState, row: &mut SandboxSubscription) -> Result<(), SandboxFailure> {
    let anchor = row.billing_cycle_anchor;
    for item in &mut row.items {
        let recurring = state.store.prices.get(&item.price)?.recurring;
        let end = recurring.map(|recurring| calendar::period_end(anchor, recurring, item.period_end));
        item.period_start = item.period_end;
        item.period_end = end.unwrap_or(item.period_end);
    }
    if row.status == SandboxSubscriptionStatus::Trialing {
        row.status = SandboxSubscriptionStatus::Active;
    }
    Ok(())
}

/// Whether invoices stay drafts while collection is paused.
pub fn keeps_drafts(row: &SandboxSubscription) -> bool {
    row.pause_collection.as_ref().is_some_and(|pause| pause.behavior == "keep_as_draft")
}
