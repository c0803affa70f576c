//! What does the portal show of a customer's subscriptions, and which actions does it offer?

use maud::{Markup, html};

use crate::{
    calendar,
    failure::SandboxFailure,
    money,
    pages::{
        html::{table, web_address},
        offers::{offer, sold},
    },
    state::SandboxState,
    store::{
        portal::{Configuration, Confirm, Flow, PortalSession},
        subscription::SandboxSubscription,
    },
};

pub fn body(state: &SandboxState, session: &PortalSession, said: &Markup) -> Result<Markup, SandboxFailure> {
    if let Some(Flow { confirm: Some(confirm), .. }) = &session.flow {
        return confirmation(state, session, confirm, said);
    }
    let configuration = session.offers(&state.store)?;
    let own = state.store.subscriptions.iter().rev();
    let own = own.filter(|row| row.customer == session.customer && !row.status.has_ended());
    let mut own = own.filter(|row| session.is_about(&row.id)).peekable();
    Ok(html! {
        (said)
        @if own.peek().is_none() && session.flow.is_none() { p { "You have no subscription." } }
        @for row in own { (subscription(state, row, &configuration)) }
        @if configuration.method_update { (card_form()) }
        @if configuration.invoice_history { (invoices(state, &session.customer)) }
        (back(session))
    })
}

fn back(session: &PortalSession) -> Markup {
    html! {
        @if let Some(url) = session.return_url.as_deref().and_then(web_address) { p { a href=(url) { "Back" } } }
    }
}

/// One change, which the person can only confirm.
fn confirmation(
    state: &SandboxState,
    session: &PortalSession,
    confirm: &Confirm,
    said: &Markup,
) -> Result<Markup, SandboxFailure> {
    let (row, price) =
        (state.store.subscriptions.get(&confirm.subscription)?, state.store.prices.get(&confirm.price)?);
    let held = row.items.iter().find(|item| item.id == confirm.item).map_or(1, |item| item.quantity);
    let quantity = confirm.quantity.unwrap_or(held);
    Ok(html! {
        (said)
        @if row.items.iter().any(|item| item.price == confirm.price) {
            p { "You have " (offer(state, price)) "." }
        } @else {
            h2 { "Confirm your updates" }
            p { "You have " (sold(state, row)) "." }
            form method="post" {
                input type="hidden" name="do" value="confirm";
                p { "You will have " (quantity) " × " (offer(state, price)) "." }
                button { "Confirm" }
            }
        }
        (back(session))
    })
}

fn card_form() -> Markup {
    html! {
        h2 { "Payment method" }
        form method="post" {
            input type="hidden" name="do" value="card";
            label for="number" { "Card number" }
            input id="number" name="number" inputmode="numeric" required autocomplete="cc-number"
                placeholder="4242 4242 4242 4242";
            button { "Pay with this card" }
        }
    }
}

fn subscription(state: &SandboxState, row: &SandboxSubscription, configuration: &Configuration) -> Markup {
    let choices = configuration.choices(&state.store, row);
    html! {
        h2 { (sold(state, row)) }
        p { "Status: " (row.status.as_str()) ". This period ends on " (calendar::shown(row.period_end())) "." }
        @if let Some(at) = row.ends_at() { p { "It ends on " (calendar::shown(at)) "." } }
        (later(state, row))
        @if row.ends_at().is_some() {
            (form("withdraw", row, &html! { button { "Don't cancel" } }))
        } @else if configuration.cancel {
            (form("cancel", row, &cancellation(row, configuration)))
        }
        @if configuration.update && !choices.is_empty() {
            (form("change", row, &html! {
                label for={ "to_" (row.id) } { "Change to" }
                select id={ "to_" (row.id) } name="price" {
                    @for price in choices { option value=(price.id) { (offer(state, price)) } }
                }
                button { "Change plan" }
            }))
        }
    }
}

/// A form for an action on a subscription. `fields` has its button.
fn form(what: &str, row: &SandboxSubscription, fields: &Markup) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name="do" value=(what);
            input type="hidden" name="subscription" value=(row.id);
            (fields)
        }
    }
}

fn cancellation(row: &SandboxSubscription, configuration: &Configuration) -> Markup {
    html! {
        @if !configuration.cancel_reasons.is_empty() {
            label for={ "why_" (row.id) } { "Why?" }
            select id={ "why_" (row.id) } name="feedback" {
                option value="" { "–" }
                @for reason in &configuration.cancel_reasons {
                    option value=(reason) { (reason.replace('_', " ")) }
                }
            }
        }
        button.quiet { "Cancel subscription" }
    }
}

/// The change at the end of this period, with a button to withdraw it.
fn later(state: &SandboxState, row: &SandboxSubscription) -> Markup {
    let schedule = row.schedule.as_deref().and_then(|id| state.store.schedules.find(id));
    html! {
        @if let Some(next) = schedule.and_then(|schedule| schedule.next()) {
            p { "It changes on " (calendar::shown(next.start)) "." }
            (form("stay", row, &html! { button { "Don't change" } }))
        }
    }
}

fn invoices(state: &SandboxState, customer: &str) -> Markup {
    let own = state.store.invoices.iter().rev().filter(|invoice| invoice.customer == customer);
    let rows = own.map(|invoice| {
        html! {
            tr {
                td { (calendar::shown(invoice.created)) }
                td { (invoice.number.as_deref().unwrap_or("–")) }
                td { (money::shown(invoice.total(), &invoice.currency)) }
                td { (invoice.status.as_str()) }
            }
        }
    });
    html! {
        h2 { "Invoices" }
        (table(&["date", "number", "amount", "status"], rows, "None yet."))
    }
}
