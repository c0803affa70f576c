//! How does a person pay? With a test card, on a page that looks like one to pay on.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};

use super::{
    super::{
        billing::{
            checkout::{self, AfterPayment, Payer},
            payments::Presence,
        },
        calendar::year,
        call::Params,
        failure::SandboxFailure,
        shared::SharedSandbox,
        state::SandboxState,
        store::{
            card::{CARDS, TestCard},
            checkout::{CheckoutMode, CheckoutStatus, SandboxCheckout},
        },
    },
    filled,
    html::{alert, code, escape, money, status, table},
    lead_to, show, wrong,
};

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let main = shared.with(|state| Ok(body(state, state.store.sessions.get(&id)?, None, &Params::default())));
    match main {
        Ok(main) => show("Checkout", &main),
        Err(failure) => wrong(&failure),
    }
}

fn body(state: &SandboxState, session: &SandboxCheckout, mistake: Option<&str>, typed: &Params) -> String {
    let bought = bought(state, session);
    match session.status {
        CheckoutStatus::Complete => format!("{bought}{}", status("This is done, and cannot be done twice.")),
        CheckoutStatus::Expired => {
            format!("{bought}{}", alert("This session has expired. Start again where you came from."))
        }
        CheckoutStatus::Open => {
            format!("{bought}{}{}", mistake.map(alert).unwrap_or_default(), fields(state, session, typed))
        }
    }
}

fn bought(state: &SandboxState, session: &SandboxCheckout) -> String {
    if session.mode == CheckoutMode::Setup {
        return "<p>A card is kept for later. Nothing is charged.</p>".to_owned();
    }
    let rows = session.items.iter().map(|item| {
        let price = state.store.prices.find(&item.price);
        let name = price
            .and_then(|price| state.store.products.find(&price.product))
            .map(|product| product.name.clone());
        let each = price.map_or_else(String::new, |price| {
            let every = price
                .recurring
                .map_or_else(String::new, |recurring| format!(" / {}", recurring.interval.as_str()));
            format!("{}{every}", money(price.unit_amount, &price.currency))
        });
        vec![escape(&name.unwrap_or_default()), format!("× {}", item.quantity), each]
    });
    let currency = session.currency.as_deref().unwrap_or("usd");
    format!(
        "{}<p>Due today: <strong>{}</strong></p>",
        table(&["what", "how many", "each"], &rows.collect::<Vec<_>>(), ""),
        money(session.total(&state.store), currency)
    )
}

fn fields(state: &SandboxState, session: &SandboxCheckout, typed: &Params) -> String {
    let known = session.customer.as_deref().and_then(|id| state.store.customers.find(id));
    let email = known.and_then(|customer| customer.email.clone()).or_else(|| session.customer_email.clone());
    let email = typed.owned("email").or(email).unwrap_or_default();
    let fixed = if session.customer.is_some() || session.customer_email.is_some() { " readonly" } else { "" };
    let quantities: String = session.items.iter().filter_map(|item| {
        let (least, most) = item.adjustable?;
        Some(format!(
            "<label for=\"{0}\">How many</label><input id=\"{0}\" name=\"quantity_{0}\" type=\"number\" min=\"{least}\" \
             max=\"{most}\" value=\"{1}\">",
            escape(&item.id), item.quantity
        ))
    }).collect();
    let cards = CARDS.iter().map(|card| vec![code(card.number), card.shown.to_owned()]);
    let cards = table(&["number", "what it does"], &cards.collect::<Vec<_>>(), "");
    let back = session.cancel_url.as_deref().map_or_else(String::new, |url| {
        format!("<p><a href=\"{}\">Back, without paying</a></p>", escape(&safe(url)))
    });
    let year = year(state.store.now).saturating_add(4) % 100;
    format!(
        "<form method=\"post\"><label for=\"email\">E-mail</label>\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"email\" required value=\"{}\"{fixed}>\
         <label for=\"number\">Card number</label>\
         <input id=\"number\" name=\"number\" inputmode=\"numeric\" autocomplete=\"cc-number\" required \
         placeholder=\"4242 4242 4242 4242\">\
         <div class=\"row\"><div><label for=\"expiry\">Expires (MM/YY)</label>\
         <input id=\"expiry\" name=\"expiry\" autocomplete=\"cc-exp\" required value=\"12/{year:02}\"></div>\
         <div><label for=\"cvc\">Security code</label>\
         <input id=\"cvc\" name=\"cvc\" inputmode=\"numeric\" autocomplete=\"cc-csc\" required value=\"123\"></div></div>\
         <label for=\"name\">Name on the card</label><input id=\"name\" name=\"name\" autocomplete=\"cc-name\" value=\"{}\">\
         {quantities}<button>{}</button></form>{back}<details><summary>Cards that can be used here</summary>{cards}</details>",
        escape(&email),
        escape(typed.text("name").unwrap_or_default()),
        match session.mode {
            CheckoutMode::Payment => "Pay",
            CheckoutMode::Subscription => "Subscribe",
            CheckoutMode::Setup => "Keep the card",
        },
    )
}

/// Only addresses that a browser goes to; nothing that it would run.
fn safe(url: &str) -> String {
    if url.starts_with("http://") || url.starts_with("https://") { url.to_owned() } else { "/".to_owned() }
}

pub(super) async fn pay(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    form: String,
) -> Response {
    let typed = filled(&form);
    let done = shared.with(|state| try_to_pay(state, &id, &typed));
    shared.wake.notify_one();
    match done {
        Ok(AfterCheckout::Leave(url)) => lead_to(&url),
        Ok(AfterCheckout::Stay(main)) => show("Checkout", &main),
        Ok(AfterCheckout::Ask(main)) => show("Your bank wants to ask you", &main),
        Err(failure) => wrong(&failure),
    }
}

enum AfterCheckout {
    Leave(String),
    Stay(String),
    Ask(String),
}

fn try_to_pay(state: &mut SandboxState, id: &str, typed: &Params) -> Result<AfterCheckout, SandboxFailure> {
    adjust(state, id, typed)?;
    let stay = |state: &SandboxState, why: &str| {
        Ok(AfterCheckout::Stay(body(state, state.store.sessions.get(id)?, Some(why), typed)))
    };
    let answer = typed.text("bank");
    if answer == Some("no") {
        return stay(state, "Your bank could not confirm that it is you. Try another card.");
    }
    let Some(card) = typed.text("number").and_then(TestCard::by_number) else {
        return stay(state, "Your card number is incorrect. In the sandbox, only test cards can be used.");
    };
    let Some((exp_month, exp_year)) = expiry(typed.text("expiry").unwrap_or_default(), state.store.now)
    else {
        return stay(state, "Your card's expiration date is in the past, or is not one (MM/YY).");
    };
    let payer = Payer {
        card,
        exp_month,
        exp_year,
        email: typed.owned("email"),
        name: typed.owned("name"),
        presence: if answer == Some("yes") { Presence::Authenticated } else { Presence::Present },
    };
    match checkout::pay_session(state, id, &payer)? {
        AfterPayment::Declined(decline) => stay(state, decline.message),
        AfterPayment::Authenticate => Ok(AfterCheckout::Ask(ask(typed))),
        AfterPayment::Complete => {
            let session = state.store.sessions.get(id)?;
            let url = session.success_url.clone().unwrap_or_default();
            Ok(AfterCheckout::Leave(safe(&url.replace("{CHECKOUT_SESSION_ID}", id))))
        }
    }
}

/// A person may change how many, where that is allowed.
fn adjust(state: &mut SandboxState, id: &str, typed: &Params) -> Result<(), SandboxFailure> {
    let session = state.store.sessions.get_mut(id)?;
    for item in &mut session.items {
        let wanted = typed.text(&format!("quantity_{}", item.id)).and_then(|text| text.parse::<i64>().ok());
        if let (Some((least, most)), Some(wanted)) = (item.adjustable, wanted) {
            item.quantity = wanted.clamp(least, most);
        }
    }
    Ok(())
}

/// The month and year of `MM/YY`, unless they are over.
fn expiry(text: &str, now: i64) -> Option<(u32, i32)> {
    let (month, short) = text.split_once('/')?;
    let month: u32 = month.trim().parse().ok().filter(|month| (1..=12).contains(month))?;
    let short: i32 = short.trim().parse().ok().filter(|short| (0..100).contains(short))?;
    let full = 2_000_i32.checked_add(short)?;
    (full >= year(now)).then_some((month, full))
}

/// The bank's question. What was typed goes along, so that nothing is kept meanwhile.
fn ask(typed: &Params) -> String {
    let kept: String = typed
        .0
        .iter()
        .filter(|(name, _)| *name != "bank")
        .filter_map(|(name, value)| {
            let value = escape(value.as_str()?);
            Some(format!("<input type=\"hidden\" name=\"{}\" value=\"{value}\">", escape(name)))
        })
        .collect();
    format!(
        "<p>This card needs authentication (3-D Secure). Is it you who is paying?</p><form method=\"post\">{kept}\
         <div class=\"row\"><button name=\"bank\" value=\"yes\">Complete authentication</button>\
         <button name=\"bank\" value=\"no\" class=\"quiet\">Fail authentication</button></div></form>"
    )
}
