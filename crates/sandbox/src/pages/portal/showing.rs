//! What does a customer see of what they have, and of what can be done?

use crate::{
    calendar,
    failure::SandboxFailure,
    pages::{
        html::{escape, money, table},
        index::sold,
    },
    state::SandboxState,
    store::{
        portal::{Configuration, Confirm, Flow, PortalSession},
        price::SandboxPrice,
        subscription::SandboxSubscription,
    },
};

pub fn body(state: &SandboxState, session: &PortalSession, said: &str) -> Result<String, SandboxFailure> {
    if let Some(Flow { confirm: Some(confirm), .. }) = &session.flow {
        return confirmation(state, session, confirm, said);
    }
    let configuration = session.offers(&state.store)?;
    let own = state
        .store
        .subscriptions
        .iter()
        .rev()
        .filter(|row| row.customer == session.customer && !row.status.has_ended())
        .filter(|row| session.is_about(&row.id));
    let rows: String = own.map(|row| subscription(state, row, &configuration)).collect();
    let rows = if rows.is_empty() && session.flow.is_none() {
        "<p>You have no subscription.</p>".to_owned()
    } else {
        rows
    };
    let card = if configuration.method_update { CARD_FORM } else { "" };
    let history =
        if configuration.invoice_history { invoices(state, &session.customer) } else { String::new() };
    let back = back(session.return_url.as_deref());
    Ok(format!("{said}{rows}{card}{history}{back}"))
}

fn back(url: Option<&str>) -> String {
    let url = url.filter(|url| url.starts_with("http"));
    url.map_or_else(String::new, |url| format!("<p><a href=\"{}\">Back</a></p>", escape(url)))
}

/// One change alone, to say yes to or to leave.
fn confirmation(
    state: &SandboxState,
    session: &PortalSession,
    confirm: &Confirm,
    said: &str,
) -> Result<String, SandboxFailure> {
    let (row, price) =
        (state.store.subscriptions.get(&confirm.subscription)?, state.store.prices.get(&confirm.price)?);
    let back = back(session.return_url.as_deref());
    let held = row.items.iter().find(|item| item.id == confirm.item).map_or(1, |item| item.quantity);
    let quantity = confirm.quantity.unwrap_or(held);
    if row.items.iter().any(|item| item.price == confirm.price) {
        return Ok(format!("{said}<p>You have {}.</p>{back}", offer(state, price)));
    }
    Ok(format!(
        "{said}<h2>Confirm your updates</h2><p>You have {}.</p><form method=\"post\">\
         <input type=\"hidden\" name=\"do\" value=\"confirm\"><p>You will have {quantity} × {}.</p><button>Confirm</button></form>{back}",
        sold(state, row),
        offer(state, price)
    ))
}

/// A plan, and what it costs.
fn offer(state: &SandboxState, price: &SandboxPrice) -> String {
    let name =
        state.store.products.find(&price.product).map(|product| product.name.clone()).unwrap_or_default();
    let every = price.recurring.map_or("", |recurring| recurring.interval.as_str());
    format!("{}, {} / {every}", escape(&name), money(price.unit_amount, &price.currency))
}

const CARD_FORM: &str = "<h2>Payment method</h2><form method=\"post\"><input type=\"hidden\" name=\"do\" value=\"card\">\
    <label for=\"number\">Card number</label><input id=\"number\" name=\"number\" inputmode=\"numeric\" required \
    autocomplete=\"cc-number\" placeholder=\"4242 4242 4242 4242\"><button>Pay with this card</button></form>";

fn subscription(state: &SandboxState, row: &SandboxSubscription, configuration: &Configuration) -> String {
    let id = escape(&row.id);
    let hidden = |what: &str| {
        format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"do\" value=\"{what}\">\
             <input type=\"hidden\" name=\"subscription\" value=\"{id}\">"
        )
    };
    let ends = row.ends_at().map(|at| format!("<p>It ends on {}.</p>", calendar::shown(at)));
    let mut forms = String::new();
    if row.ends_at().is_some() {
        forms.push_str(&format!("{}<button>Don't cancel</button></form>", hidden("withdraw")));
    } else if configuration.cancel {
        let reasons: String = configuration
            .cancel_reasons
            .iter()
            .map(|reason| {
                format!(
                    "<option value=\"{0}\">{1}</option>",
                    escape(reason),
                    escape(&reason.replace('_', " "))
                )
            })
            .collect();
        let asked = if reasons.is_empty() {
            String::new()
        } else {
            format!(
                "<label for=\"why_{id}\">Why?</label><select id=\"why_{id}\" name=\"feedback\"><option value=\"\">–</option>{reasons}</select>"
            )
        };
        forms.push_str(&format!(
            "{}{asked}<button class=\"quiet\">Cancel subscription</button></form>",
            hidden("cancel")
        ));
    }
    let choices: String = configuration
        .choices(&state.store, row)
        .into_iter()
        .map(|price| format!("<option value=\"{}\">{}</option>", escape(&price.id), offer(state, price)))
        .collect();
    if configuration.update && !choices.is_empty() {
        forms.push_str(&format!(
            "{}<label for=\"to_{id}\">Change to</label><select id=\"to_{id}\" name=\"price\">{choices}</select>\
             <button>Change plan</button></form>",
            hidden("change")
        ));
    }
    format!(
        "<h2>{}</h2><p>Status: {}. This period ends on {}.</p>{}{}{forms}",
        sold(state, row),
        row.status.as_str(),
        calendar::shown(row.period_end()),
        ends.unwrap_or_default(),
        later(state, row)
    )
}

/// What it changes to when this period ends, and how that is called off.
fn later(state: &SandboxState, row: &SandboxSubscription) -> String {
    let schedule = row.schedule.as_deref().and_then(|id| state.store.schedules.find(id));
    let next = schedule.and_then(|schedule| schedule.next());
    next.map_or_else(String::new, |next| {
        format!(
            "<p>It changes on {}.</p><form method=\"post\"><input type=\"hidden\" name=\"do\" value=\"stay\">\
             <input type=\"hidden\" name=\"subscription\" value=\"{}\"><button>Don't change</button></form>",
            calendar::shown(next.start),
            escape(&row.id)
        )
    })
}

fn invoices(state: &SandboxState, customer: &str) -> String {
    let rows =
        state.store.invoices.iter().rev().filter(|invoice| invoice.customer == customer).map(|invoice| {
            vec![
                calendar::shown(invoice.created),
                escape(invoice.number.as_deref().unwrap_or("–")),
                money(invoice.total(), &invoice.currency),
                invoice.status.as_str().to_owned(),
            ]
        });
    format!(
        "<h2>Invoices</h2>{}",
        table(&["date", "number", "amount", "status"], &rows.collect::<Vec<_>>(), "None yet.")
    )
}
