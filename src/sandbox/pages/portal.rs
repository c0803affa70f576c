//! What can customers do by themselves? Cancel, stay after all, change the plan, and pay with another card.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};

use super::{
    super::{
        Shared,
        billing::{
            calendar,
            changing::{ItemChange, Proration, Terms, Wish},
            ending::{Money, Words},
        },
        call::{Metadata, Params},
        control::year,
        failure::Failure,
        objects::{
            card::{Behaviour, TestCard},
            payment_method::PaymentMethod,
            portal::{Configuration, PortalSession},
            price::Price,
            schedule::PhaseItem,
            subscription::Subscription,
        },
        state::State,
    },
    filled,
    html::{alert, escape, money, status, table},
    index::sold,
    show, wrong,
};

pub(super) async fn page(Shares(shared): Shares<Arc<Shared>>, Path(secret): Path<String>) -> Response {
    shown(shared.with(|state| {
        let session = find(state, &secret)?;
        body(state, &session, "")
    }))
}

fn shown(main: Result<String, Failure>) -> Response {
    match main {
        Ok(main) => show("Your subscription", &main),
        Err(failure) => wrong(&failure),
    }
}

fn find(state: &State, secret: &str) -> Result<PortalSession, Failure> {
    let session = state.portal_sessions.iter().find(|session| session.secret == secret);
    session.cloned().ok_or_else(|| Failure::no_such("billing portal session", "…"))
}

fn body(state: &State, session: &PortalSession, said: &str) -> Result<String, Failure> {
    let configuration = state.configurations.get(&session.configuration)?;
    let own = state
        .subscriptions
        .iter()
        .rev()
        .filter(|row| row.customer == session.customer && !row.status.has_ended());
    let rows: String = own.map(|row| subscription(state, row, configuration)).collect();
    let rows = if rows.is_empty() { "<p>You have no subscription.</p>".to_owned() } else { rows };
    let card = if configuration.method_update { CARD_FORM } else { "" };
    let history =
        if configuration.invoice_history { invoices(state, &session.customer) } else { String::new() };
    let back = session
        .return_url
        .as_deref()
        .filter(|url| url.starts_with("http"))
        .map_or_else(String::new, |url| format!("<p><a href=\"{}\">Back</a></p>", escape(url)));
    Ok(format!("{said}{rows}{card}{history}{back}"))
}

const CARD_FORM: &str = "<h2>Payment method</h2><form method=\"post\"><input type=\"hidden\" name=\"do\" value=\"card\">\
    <label for=\"number\">Card number</label><input id=\"number\" name=\"number\" inputmode=\"numeric\" required \
    autocomplete=\"cc-number\" placeholder=\"4242 4242 4242 4242\"><button>Pay with this card</button></form>";

fn subscription(state: &State, row: &Subscription, configuration: &Configuration) -> String {
    let id = &row.id;
    let hidden = |what: &str| {
        format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"do\" value=\"{what}\">\
             <input type=\"hidden\" name=\"subscription\" value=\"{id}\">"
        )
    };
    let later = row.schedule.as_deref().and_then(|id| state.schedules.find(id));
    let later = later.and_then(|schedule| schedule.next()).map(|next| {
        format!(
            "<p>It changes on {}.</p>{}<button>Don't change</button></form>",
            calendar::shown(next.start),
            hidden("stay")
        )
    });
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
    let choices: String = choices(state, row, configuration)
        .into_iter()
        .map(|price| {
            let name =
                state.products.find(&price.product).map(|product| product.name.clone()).unwrap_or_default();
            let every = price.recurring.map_or("", |recurring| recurring.interval.as_str());
            format!(
                "<option value=\"{}\">{}, {} / {every}</option>",
                price.id,
                escape(&name),
                money(price.unit_amount, &price.currency)
            )
        })
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
        later.unwrap_or_default()
    )
}

/// The prices that may be changed to.
fn choices<'a>(state: &'a State, row: &Subscription, configuration: &Configuration) -> Vec<&'a Price> {
    let offered = |price: &&Price| {
        let all = configuration.products.is_empty();
        let listed = configuration.products.iter().any(|(product, prices)| {
            *product == price.product && (prices.is_empty() || prices.contains(&price.id))
        });
        all || listed
    };
    let other = |price: &&Price| row.items.iter().all(|item| item.price != price.id);
    let possible =
        |price: &&Price| price.active && price.recurring.is_some() && price.currency == row.currency;
    state.prices.iter().filter(possible).filter(other).filter(offered).collect()
}

fn invoices(state: &State, customer: &str) -> String {
    let rows = state.invoices.iter().rev().filter(|invoice| invoice.customer == customer).map(|invoice| {
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

pub(super) async fn change(
    Shares(shared): Shares<Arc<Shared>>,
    Path(secret): Path<String>,
    form: String,
) -> Response {
    let wanted = filled(&form);
    let main = shared.with(|state| {
        let session = find(state, &secret)?;
        let said = match act(state, &session, &wanted) {
            Ok(said) => status(said),
            Err(failure) => alert(failure.message()),
        };
        body(state, &session, &said)
    });
    shared.wake.notify_one();
    shown(main)
}

fn act(state: &mut State, session: &PortalSession, wanted: &Params) -> Result<&'static str, Failure> {
    let configuration = state.configurations.get(&session.configuration)?.clone();
    if wanted.text("do") == Some("card") && configuration.method_update {
        return take_card(state, session, wanted);
    }
    let id = wanted.required("subscription")?;
    let row = state.subscriptions.get(id)?.clone();
    if row.customer != session.customer || row.status.has_ended() {
        return Err(Failure::no_such("subscription", id));
    }
    match wanted.text("do") {
        Some("cancel") if configuration.cancel && configuration.cancel_at_period_end => {
            schedule(state, &row, wanted)
        }
        Some("cancel") if configuration.cancel => {
            let words = Words { comment: None, feedback: wanted.owned("feedback") };
            let money = Money {
                prorate: configuration.cancel_proration != "none",
                invoice_now: configuration.cancel_proration == "always_invoice",
            };
            state.cancel_subscription(id, words, money)?;
            Ok("Your subscription has ended.")
        }
        Some("stay") => {
            if let Some(schedule) = &row.schedule {
                state.release_schedule(schedule)?;
            }
            Ok("Your plan stays.")
        }
        Some("withdraw") => {
            state.change_subscription(id, |row| {
                row.cancel_at = None;
                row.cancel_at_period_end = false;
                row.canceled_at = None;
                row.cancellation_reason = None;
                row.cancellation_feedback = None;
            })?;
            Ok("Your subscription goes on.")
        }
        Some("change") if configuration.update => change_plan(state, &row, &configuration, wanted),
        Some(_) | None => Err(Failure::invalid("This cannot be done here.")),
    }
}

/// In the flexible billing mode, only `cancel_at` says that it ends.
fn schedule(state: &mut State, row: &Subscription, wanted: &Params) -> Result<&'static str, Failure> {
    let now = state.now;
    if let Some(schedule) = &row.schedule {
        state.release_schedule(schedule)?;
    }
    state.change_subscription(&row.id, |row| {
        row.cancel_at = Some(row.period_end());
        row.cancel_at_period_end = !row.flexible;
        row.canceled_at = Some(now);
        row.cancellation_reason = Some("cancellation_requested".to_owned());
        row.cancellation_feedback = wanted.owned("feedback");
    })?;
    Ok("Your subscription ends with this period.")
}

fn change_plan(
    state: &mut State,
    row: &Subscription,
    configuration: &Configuration,
    wanted: &Params,
) -> Result<&'static str, Failure> {
    let price = wanted.required("price")?.to_owned();
    if !choices(state, row, configuration).iter().any(|choice| choice.id == price) {
        return Err(Failure::invalid("This plan is not offered."));
    }
    if waits(state, row, configuration, &price)? {
        return change_later(state, row, price);
    }
    let item = row.items.first().map(|item| item.id.clone());
    let change = ItemChange { item, price: Some(price), quantity: None, metadata: None, deleted: false };
    let proration = Proration::parse(Some(configuration.proration_behavior.as_str()));
    if let Some(schedule) = &row.schedule {
        state.release_schedule(schedule)?;
    }
    let mut wish = Wish::new(vec![change], proration, state.now);
    wish.ends_trial = configuration.ends_trial;
    wish.restart = configuration.restarts;
    let planned = state.plan_change(&row.id, &wish)?;
    state.apply_change(planned, proration, Terms { or_nothing: true, when_paid: false })?;
    Ok("Your plan was changed.")
}

/// Whether a change is one that the configuration keeps for the end of the period.
fn waits(
    state: &State,
    row: &Subscription,
    configuration: &Configuration,
    price: &str,
) -> Result<bool, Failure> {
    let Some(item) = row.items.first() else { return Ok(false) };
    let (before, after) = (state.prices.get(&item.price)?, state.prices.get(price)?);
    let lasts =
        |price: &Price| price.recurring.map_or(0, |every| calendar::add(0, every.interval, every.count));
    let asked = |kind: &str| configuration.at_period_end.iter().any(|known| known == kind);
    let smaller = after.unit_amount < before.unit_amount && asked("decreasing_item_amount");
    let shorter = lasts(after) < lasts(before) && asked("shortening_interval");
    Ok(smaller || shorter)
}

fn change_later(state: &mut State, row: &Subscription, price: String) -> Result<&'static str, Failure> {
    if let Some(schedule) = &row.schedule {
        state.release_schedule(schedule)?;
    }
    let items = row.items.iter().enumerate().map(|(place, item)| PhaseItem {
        price: if place == 0 { price.clone() } else { item.price.clone() },
        quantity: item.quantity,
        metadata: item.metadata.clone(),
    });
    state.schedule_change(&row.id, items.collect())?;
    Ok("Your plan changes when this period ends.")
}

fn take_card(state: &mut State, session: &PortalSession, wanted: &Params) -> Result<&'static str, Failure> {
    let card = wanted.text("number").and_then(TestCard::by_number);
    let card = card.ok_or_else(|| Failure::invalid("Your card number is incorrect."))?;
    if let Behaviour::Refuses(decline) = card.behaviour {
        return Err(decline.failure());
    }
    let id = state.ids.make("pm");
    state.payment_methods.put(PaymentMethod {
        id: id.clone(),
        created: state.now,
        customer: None,
        card,
        exp_year: year(state.now).saturating_add(4),
        exp_month: 12,
        set_up: true,
        email: None,
        name: None,
        metadata: Metadata::new(),
    });
    state.attach(&id, &session.customer)?;
    state
        .change_customer(&session.customer, |customer| customer.default_payment_method = Some(id.clone()))?;
    let own =
        state.subscriptions.iter().filter(|row| row.customer == session.customer && !row.status.has_ended());
    let own: Vec<String> = own.map(|row| row.id.clone()).collect();
    for row in own {
        state.change_subscription(&row, |row| row.default_payment_method = Some(id.clone()))?;
    }
    Ok("This card is used from now on.")
}
