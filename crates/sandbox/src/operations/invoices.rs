//! `/v1/invoices` and `/v1/invoice_payments`

use serde_json::Value;

use super::{SandboxAnswer, SandboxOperation, operation, payment_methods, subscriptions};
use crate::{
    billing::{
        changing::{Proration, SubscriptionUpdate},
        collecting, crediting,
        invoices::{self, NewInvoice},
        payments::{Attempt, Presence},
        planning,
        proration::{period_line, stub_line, trial_line},
        voiding,
    },
    call::Call,
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::{in_time, made, page, page_of_values},
    state::SandboxState,
    store::invoice::{Invoice, InvoiceStatus},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/invoices/create_preview", create_preview),
    operation("GET", "/v1/invoices", list),
    operation("GET", "/v1/invoices/{invoice}", retrieve),
    operation("GET", "/v1/invoices/{invoice}/lines", lines),
    operation("POST", "/v1/invoices/{invoice}/finalize", finalize),
    operation("POST", "/v1/invoices/{invoice}/pay", pay),
    operation("POST", "/v1/invoices/{invoice}/attach_payment", attach_payment),
    operation("POST", "/v1/invoices/{invoice}/void", void),
    operation("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
    operation("GET", "/v1/invoice_payments", list_payments),
    operation("GET", "/v1/invoice_payments/{invoice_payment}", retrieve_payment),
];

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let (customer, subscription, status) =
        (params.text("customer"), params.text("subscription"), params.text("status"));
    page(&state.store, &state.store.invoices, call, "/v1/invoices", |invoice| {
        customer.is_none_or(|customer| invoice.customer == customer)
            && (subscription.is_none() || invoice.subscription.as_deref() == subscription)
            && status.is_none_or(|status| invoice.status.as_str() == status)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.invoices.get(call.id())?.render(&state.store))
}

fn lines(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let lines = match state.store.recorded.members(call.id(), "lines") {
        Some(lines) => lines,
        None => {
            let invoice = state.store.invoices.get(call.id())?;
            invoice.lines.iter().map(|line| line.render(&invoice.id)).collect()
        }
    };
    page_of_values(&lines, call, &format!("/v1/invoices/{}/lines", call.id()))
}

fn finalize(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    state.store.invoices.get(call.id())?;
    collecting::finalize_invoice(state, call.id())?;
    retrieve(state, call)
}

fn pay(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let invoice = state.store.invoices.get(call.id())?;
    match invoice.status {
        InvoiceStatus::Paid => {
            return Err(SandboxFailure::invalid("Invoice is already paid").code("invoice_already_paid"));
        }
        InvoiceStatus::Void => {
            return Err(SandboxFailure::invalid("You cannot pay a void invoice.").code("invoice_not_open"));
        }
        InvoiceStatus::Draft => collecting::finalize_invoice(state, call.id())?,
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => {}
    }
    if state.store.invoices.get(call.id())?.status == InvoiceStatus::Paid {
        return retrieve(state, call);
    }
    if call.params.boolean("paid_out_of_band") == Some(true) {
        collecting::settle_invoice(state, call.id(), true)?;
        return retrieve(state, call);
    }
    let method =
        call.params.text("payment_method").map(|id| payment_methods::usable(state, id)).transpose()?;
    let off_session = call.params.boolean("off_session").unwrap_or(true);
    let presence = if off_session { Presence::Absent } else { Presence::Present };
    match collecting::collect(state, call.id(), method, presence)? {
        Attempt::Succeeded | Attempt::Processing => retrieve(state, call),
        Attempt::Declined(decline) => Err(decline.failure()),
        Attempt::RequiresAction => {
            let message =
                "Payment for this invoice requires additional user action before it can be completed.";
            Err(SandboxFailure::card("invoice_payment_intent_requires_action", None, message))
        }
    }
}

fn attach_payment(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    crediting::attach_payment(state, call.id(), call.params.required("payment_intent")?)?;
    retrieve(state, call)
}

fn void(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let status = state.store.invoices.get(call.id())?.status;
    if !matches!(status, InvoiceStatus::Open | InvoiceStatus::Uncollectible) {
        let message = format!(
            "You can only pass in open invoices. This invoice isn't open, it is {}.",
            status.as_str()
        );
        return Err(SandboxFailure::invalid(message).code("invoice_not_editable"));
    }
    voiding::void_invoice(state, call.id())?;
    retrieve(state, call)
}

fn mark_uncollectible(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let status = state.store.invoices.get(call.id())?.status;
    if status != InvoiceStatus::Open {
        let message = format!("This invoice cannot be marked as uncollectible: it is {}.", status.as_str());
        return Err(SandboxFailure::invalid(message).code("invoice_not_editable"));
    }
    voiding::mark_uncollectible(state, call.id())?;
    retrieve(state, call)
}

fn list_payments(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (invoice, status) = (call.params.text("invoice"), call.params.text("status"));
    let intent = call.params.text("payment.payment_intent");
    let wanted = state.store.invoices.iter().rev().filter(|row| {
        invoice.is_none_or(|invoice| row.id == invoice) && intent.is_none_or(|intent| row.is_paid_by(intent))
    });
    let payments = wanted
        .flat_map(Invoice::payments)
        .filter(|payment| {
            intent.is_none() || payment.pointer("/payment/payment_intent").and_then(Value::as_str) == intent
        })
        .filter(|payment| status.is_none() || payment.get("status").and_then(Value::as_str) == status);
    let recorded = state.store.recorded.list("invoice_payment", call).cloned();
    let payments = payments.chain(recorded).filter(|payment| in_time(made(payment), call));
    let payments: Vec<Value> = payments.collect();
    page_of_values(&payments, call, "/v1/invoice_payments")
}

fn retrieve_payment(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let mut payments = state.store.invoices.iter().flat_map(Invoice::payments);
    let payment = payments.find(|payment| payment.get("id").and_then(Value::as_str) == Some(call.id()));
    payment.ok_or_else(|| SandboxFailure::no_such("invoice_payment", call.id()))
}

/// Previews the next invoice of a subscription, as it is or with changes. Nothing is kept.
fn create_preview(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    if let Some(schedule) = params.text("schedule") {
        return preview_of_schedule(state, schedule);
    }
    let Some(id) = params.text("subscription") else { return preview_of_items(state, call) };
    let row = state
        .store
        .subscriptions
        .get(id)
        .map_err(|failure| failure.status(400).param("subscription"))?
        .clone();
    if row.status.has_ended() {
        return Err(SandboxFailure::invalid("No upcoming invoices for this subscription: it has ended.")
            .code("invoice_upcoming_none")
            .status(404));
    }
    let proration = Proration::parse(params.text("subscription_details.proration_behavior"));
    let at = params.integer("subscription_details.proration_date").unwrap_or(state.store.now);
    let changes = subscriptions::changes(state, params, "subscription_details.items")?;
    let mut wish = SubscriptionUpdate::new(changes, proration, at);
    wish.restart = params.text("subscription_details.billing_cycle_anchor.type") == Some("now");
    wish.trial_end = params.integer("subscription_details.trial_end");
    wish.ends_trial = params.text("subscription_details.trial_end") == Some("now");
    wish.cancel_at = params.integer("subscription_details.cancel_at").map(Some);
    let planned = planning::plan_change(state, id, &wish)?;
    let now_asked = planned.asks(proration) || (proration == Proration::Now && !wish.changes.is_empty());
    // Pending items are on the next invoice, whichever it is.
    let mut lines = row.pending.clone();
    lines.extend(planned.lines);
    let reason = if now_asked { "subscription_update" } else { "upcoming" };
    if !now_asked {
        if row.ends_at().is_some_and(|end| end <= row.period_end()) {
            return Err(none_upcoming());
        }
        for item in &planned.after.items {
            let recurring = state.store.prices.get(&item.price)?.recurring;
            let end = recurring.map_or(item.period_end, |recurring| {
                crate::calendar::period_end(planned.after.billing_cycle_anchor, recurring, item.period_end)
            });
            lines.push(period_line(state, &planned.after, item, (item.period_end, end))?);
        }
    }
    let new = NewInvoice {
        customer: row.customer.clone(),
        subscription: Some(row.id.clone()),
        reason,
        lines,
        period: (row.period_start(), row.period_end()),
        currency: row.currency.clone(),
    };
    let at = if now_asked { state.store.now } else { row.period_end() };
    Ok(invoices::draft(state, new, "upcoming_in", at)?.render(&state.store))
}

/// Previews the next invoice of a schedule's subscription, which may be in another phase by then.
fn preview_of_schedule(state: &mut SandboxState, id: &str) -> SandboxAnswer {
    let schedule = state.store.schedules.get(id).map_err(|failure| failure.status(400).param("schedule"))?;
    let subscription = schedule.subscription.clone().ok_or_else(none_upcoming)?;
    let next = schedule.next().cloned();
    let row = state.store.subscriptions.get(&subscription)?.clone();
    if row.ends_at().is_some_and(|end| end <= row.period_end()) {
        return Err(none_upcoming());
    }
    let mut after = row.clone();
    if let Some(next) = next.filter(|next| next.start <= row.period_end()) {
        for (item, planned) in after.items.iter_mut().zip(&next.items) {
            item.price.clone_from(&planned.price);
            item.quantity = planned.quantity;
        }
    }
    let mut lines = row.pending.clone();
    for item in &after.items {
        let recurring = state.store.prices.get(&item.price)?.recurring;
        let same = row.items.iter().any(|held| held.price == item.price);
        let anchor = if same { row.billing_cycle_anchor } else { item.period_end };
        let end = recurring.map_or(item.period_end, |recurring| {
            crate::calendar::period_end(anchor, recurring, item.period_end)
        });
        lines.push(period_line(state, &after, item, (item.period_end, end))?);
    }
    let new = NewInvoice {
        customer: row.customer.clone(),
        subscription: Some(row.id.clone()),
        reason: "upcoming",
        lines,
        period: (row.period_start(), row.period_end()),
        currency: row.currency.clone(),
    };
    Ok(invoices::draft(state, new, "upcoming_in", row.period_end())?.render(&state.store))
}

fn none_upcoming() -> SandboxFailure {
    SandboxFailure::invalid("No upcoming invoices for this subscription: it is about to end.")
        .code("invoice_upcoming_none")
        .status(404)
}

/// Previews the invoice of a subscription that does not exist yet.
fn preview_of_items(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let items = call.params.list("subscription_details.items");
    if items.is_empty() {
        let message = "You must pass a subscription, or items in `subscription_details`.";
        return Err(SandboxFailure::invalid(message).code("parameter_missing").param("subscription"));
    }
    let Some(customer) = call.params.text("customer") else {
        return Err(SandboxFailure::missing("customer"));
    };
    let customer = state.store.customer(customer)?.id.clone();
    let place = state.outbox.place();
    let row = subscriptions::imagine(state, &call.params, customer.clone())?;
    let mut lines = Vec::new();
    for item in &row.items {
        let period = (item.period_start, item.period_end);
        let line = if row.trial_end.is_some() {
            trial_line(state, &row, item, period)?
        } else if row.billing_cycle_anchor > state.store.now {
            stub_line(state, &row, item, period)?
        } else {
            period_line(state, &row, item, period)?
        };
        lines.push(line);
    }
    state.outbox.forget(place);
    let new = NewInvoice {
        customer,
        subscription: None,
        reason: "upcoming",
        lines,
        period: (state.store.now, state.store.now),
        currency: row.currency,
    };
    Ok(invoices::draft(state, new, "upcoming_in", state.store.now)?.render(&state.store))
}
