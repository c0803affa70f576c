//! How does a person pay? With a test card, on a checkout page.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use maud::{Markup, html};

use super::{
    super::{
        billing::{
            checkout::{self, AfterPayment, Payer},
            payments::Presence,
        },
        calendar::year,
        call::Params,
        failure::SandboxFailure,
        money,
        shared::SharedSandbox,
        state::SandboxState,
        store::{
            card::{CARDS, TestCard},
            checkout::{CheckoutMode, CheckoutStatus, SandboxCheckout},
        },
    },
    authenticate::{QUESTION, question},
    filled,
    html::{alert, status, table, web_address},
    lead_to, offers, show, wrong,
};

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let main = shared.with(|state| Ok(body(state, state.store.sessions.get(&id)?, None, &Params::default())));
    match main {
        Ok(main) => show("Checkout", &main),
        Err(failure) => wrong(&failure),
    }
}

fn body(state: &SandboxState, session: &SandboxCheckout, mistake: Option<&str>, typed: &Params) -> Markup {
    html! {
        (bought(state, session))
        @match session.status {
            CheckoutStatus::Complete => (status("This is done, and cannot be done twice.")),
            CheckoutStatus::Expired => (alert("This session has expired. Start again where you came from.")),
            CheckoutStatus::Open => {
                @if let Some(mistake) = mistake { (alert(mistake)) }
                (fields(state, session, typed))
            }
        }
    }
}

fn bought(state: &SandboxState, session: &SandboxCheckout) -> Markup {
    if session.mode == CheckoutMode::Setup {
        return html! { p { "A card is kept for later. Nothing is charged." } };
    }
    let rows = session.items.iter().map(|item| {
        let price = state.store.prices.find(&item.price);
        html! {
            tr {
                td { @if let Some(price) = price { (offers::product_name(state, price)) } }
                td { "× " (item.quantity) }
                td { @if let Some(price) = price { (offers::cost(price)) } }
            }
        }
    });
    let currency = session.currency.as_deref().unwrap_or("usd");
    html! {
        (table(&["what", "how many", "each"], rows, ""))
        p { "Due today: " strong { (money::shown(session.total(&state.store), currency)) } }
    }
}

fn fields(state: &SandboxState, session: &SandboxCheckout, typed: &Params) -> Markup {
    let known = session.customer.as_deref().and_then(|id| state.store.customers.find(id));
    let email = known.and_then(|customer| customer.email.as_deref()).or(session.customer_email.as_deref());
    let year = year(state.store.now).saturating_add(4) % 100;
    let cards = CARDS.iter().map(|card| html! { tr { td { code { (card.number) } } td { (card.shown) } } });
    html! {
        form method="post" {
            label for="email" { "E-mail" }
            input id="email" name="email" type="email" autocomplete="email" required readonly[email.is_some()]
                value=(typed.text("email").or(email).unwrap_or_default());
            label for="number" { "Card number" }
            input id="number" name="number" inputmode="numeric" autocomplete="cc-number" required
                placeholder="4242 4242 4242 4242";
            div.row {
                div {
                    label for="expiry" { "Expires (MM/YY)" }
                    input id="expiry" name="expiry" autocomplete="cc-exp" required value={ "12/" (format!("{year:02}")) };
                }
                div {
                    label for="cvc" { "Security code" }
                    input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" required value="123"
                        pattern="[0-9]{3,4}" maxlength="4" title="3 or 4 digits";
                }
            }
            label for="name" { "Name on the card" }
            input id="name" name="name" autocomplete="cc-name" value=(typed.text("name").unwrap_or_default());
            @for item in &session.items {
                @if let Some((least, most)) = item.adjustable {
                    label for=(item.id) { "How many" }
                    input id=(item.id) name={ "quantity_" (item.id) } type="number" min=(least) max=(most)
                        value=(item.quantity);
                }
            }
            button {
                @match session.mode {
                    CheckoutMode::Payment => "Pay",
                    CheckoutMode::Subscription => "Subscribe",
                    CheckoutMode::Setup => "Keep the card",
                }
            }
        }
        @if let Some(url) = &session.cancel_url {
            p { a href=(web_address(url).unwrap_or("/")) { "Back, without paying" } }
        }
        details { summary { "Cards that can be used here" } (table(&["number", "what it does"], cards, "")) }
    }
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
        Ok(AfterCheckout::Ask(main)) => show(QUESTION, &main),
        Err(failure) => wrong(&failure),
    }
}

enum AfterCheckout {
    Leave(String),
    Stay(Markup),
    Ask(Markup),
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
    if !is_security_code(typed.text("cvc").unwrap_or_default()) {
        return stay(state, "Your card's security code is incomplete: it has 3 or 4 digits.");
    }
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
            let url = url.replace("{CHECKOUT_SESSION_ID}", id);
            Ok(AfterCheckout::Leave(web_address(&url).unwrap_or("/").to_owned()))
        }
    }
}

/// Changes the quantities that a person may change.
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

/// The month and year of `MM/YY`, unless the year is past.
fn expiry(text: &str, now: i64) -> Option<(u32, i32)> {
    let (month, short) = text.split_once('/')?;
    let month: u32 = month.trim().parse().ok().filter(|month| (1..=12).contains(month))?;
    let short: i32 = short.trim().parse().ok().filter(|short| (0..100).contains(short))?;
    let full = 2_000_i32.checked_add(short)?;
    (full >= year(now)).then_some((month, full))
}

fn is_security_code(text: &str) -> bool {
    (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bank's question. The form keeps what the person entered, so that the server does not have to.
fn ask(typed: &Params) -> Markup {
    let asked = html! { "This card needs authentication (3-D Secure). Is it you who is paying?" };
    let typed = typed.0.iter().filter(|(name, _)| *name != "bank");
    let kept = html! {
        @for (name, value) in typed {
            @if let Some(value) = value.as_str() { input type="hidden" name=(name) value=(value); }
        }
    };
    question(&asked, &kept)
}
