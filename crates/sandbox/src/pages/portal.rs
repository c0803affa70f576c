//! What can customers do by themselves? Cancel, stay after all, change the plan, and pay with another card.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    super::{
        billing::{
            changing::{ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
            ending::{CancellationDetails, PaidTime},
        },
        calendar::{self, year},
        call::{ObjectMetadata, Params},
        failure::SandboxFailure,
        shared::SharedSandbox,
        state::SandboxState,
        store::{
            card::{Behaviour, TestCard},
            payment_method::PaymentMethod,
            portal::{Configuration, Confirm, Flow, PortalSession},
            price::SandboxPrice,
            schedule::SchedulePhaseItem,
            subscription::SandboxSubscription,
        },
    },
    filled,
    html::{alert, escape, money, status, table},
    index::sold,
    show, wrong,
};

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(secret): Path<String>) -> Response {
    shown(shared.with(|state| {
        let session = find(state, &secret)?;
        body(state, &session, "")
    }))
}

fn shown(main: Result<String, SandboxFailure>) -> Response {
    match main {
        Ok(main) => show("Your subscription", &main),
        Err(failure) => wrong(&failure),
    }
}

fn find(state: &SandboxState, secret: &str) -> Result<PortalSession, SandboxFailure> {
    let session = state.store.portal_sessions.iter().find(|session| session.secret == secret);
    session.cloned().ok_or_else(|| SandboxFailure::no_such("billing portal session", "…"))
}

fn body(state: &SandboxState, session: &PortalSession, said: &str) -> Result<String, SandboxFailure> {
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

pub(super) async fn change(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(secret): Path<String>,
    form: String,
) -> Response {
    let wanted = filled(&form);
    let done = shared.with(|state| {
        let session = find(state, &secret)?;
        match act(state, &session, &wanted) {
            Ok(said) => match after(&session) {
                Some(url) => Ok(AfterPortal::Elsewhere(url)),
                None => body(state, &session, &status(said)).map(AfterPortal::Here),
            },
            Err(failure) => body(state, &session, &alert(failure.message())).map(AfterPortal::Here),
        }
    });
    shared.wake.notify_one();
    match done {
        Ok(AfterPortal::Elsewhere(url)) => Redirect::to(&url).into_response(),
        Ok(AfterPortal::Here(main)) => shown(Ok(main)),
        Err(failure) => shown(Err(failure)),
    }
}

/// What the person sees when it is done.
enum AfterPortal {
    Here(String),
    Elsewhere(String),
}

/// Where a page goes that was opened for one thing.
fn after(session: &PortalSession) -> Option<String> {
    let flow = session.flow.as_ref()?;
    flow.redirect.clone().filter(|url| url.starts_with("http"))
}

fn act(
    state: &mut SandboxState,
    session: &PortalSession,
    wanted: &Params,
) -> Result<&'static str, SandboxFailure> {
    let configuration = session.offers(&state.store)?;
    if wanted.text("do") == Some("card") && configuration.method_update {
        return take_card(state, session, wanted);
    }
    if let Some(Flow { confirm: Some(confirm), .. }) = &session.flow {
        let row = state.store.subscriptions.get(&confirm.subscription)?.clone();
        let change = ItemAmendment {
            item: Some(confirm.item.clone()),
            price: Some(confirm.price.clone()),
            quantity: confirm.quantity,
            metadata: None,
            deleted: false,
        };
        return change_plan(state, &row, &configuration, change);
    }
    let id = wanted.required("subscription")?;
    let row = state.store.subscriptions.get(id)?.clone();
    if row.customer != session.customer || row.status.has_ended() {
        return Err(SandboxFailure::no_such("subscription", id));
    }
    let is_whole = session.flow.is_none();
    if !session.is_about(id) {
        return Err(SandboxFailure::invalid("This cannot be done here."));
    }
    match wanted.text("do") {
        Some("cancel") if configuration.cancel && configuration.cancel_at_period_end => {
            schedule(state, &row, wanted)
        }
        Some("cancel") if configuration.cancel => {
            let words = CancellationDetails { comment: None, feedback: wanted.owned("feedback") };
            let money = PaidTime {
                prorate: configuration.cancel_proration != "none",
                invoice_now: configuration.cancel_proration == "always_invoice",
            };
            state.cancel_subscription(id, words, money)?;
            Ok("Your subscription has ended.")
        }
        Some("stay") if is_whole => {
            if let Some(schedule) = &row.schedule {
                state.release_schedule(schedule)?;
            }
            Ok("Your plan stays.")
        }
        Some("withdraw") if is_whole => {
            state.change_subscription(id, |row| {
                row.cancel_at = None;
                row.cancel_at_period_end = false;
                row.canceled_at = None;
                row.cancellation_reason = None;
                row.cancellation_feedback = None;
            })?;
            Ok("Your subscription goes on.")
        }
        Some("change") if configuration.update => {
            let price = wanted.required("price")?.to_owned();
            let item = row.items.first().map(|item| item.id.clone());
            let change =
                ItemAmendment { item, price: Some(price), quantity: None, metadata: None, deleted: false };
            change_plan(state, &row, &configuration, change)
        }
        Some(_) | None => Err(SandboxFailure::invalid("This cannot be done here.")),
    }
}

/// In the flexible billing mode, only `cancel_at` says that it ends.
fn schedule(
    state: &mut SandboxState,
    row: &SandboxSubscription,
    wanted: &Params,
) -> Result<&'static str, SandboxFailure> {
    let now = state.store.now;
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
    state: &mut SandboxState,
    row: &SandboxSubscription,
    configuration: &Configuration,
    change: ItemAmendment,
) -> Result<&'static str, SandboxFailure> {
    let price = change.price.clone().unwrap_or_default();
    if !configuration.choices(&state.store, row).iter().any(|choice| choice.id == price) {
        return Err(SandboxFailure::invalid("This plan is not offered."));
    }
    if waits(state, row, configuration, &price)? {
        return change_later(state, row, price);
    }
    let proration = Proration::parse(Some(configuration.proration_behavior.as_str()));
    if let Some(schedule) = &row.schedule {
        state.release_schedule(schedule)?;
    }
    let mut wish = SubscriptionUpdate::new(vec![change], proration, state.store.now);
    wish.ends_trial = configuration.ends_trial;
    wish.restart = configuration.restarts;
    let planned = state.plan_change(&row.id, &wish)?;
    state.apply_change(planned, proration, PaymentBehavior { or_nothing: true, when_paid: false })?;
    Ok("Your plan was changed.")
}

/// Whether a change is one that the configuration keeps for the end of the period.
fn waits(
    state: &SandboxState,
    row: &SandboxSubscription,
    configuration: &Configuration,
    price: &str,
) -> Result<bool, SandboxFailure> {
    let Some(item) = row.items.first() else { return Ok(false) };
    let (before, after) = (state.store.prices.get(&item.price)?, state.store.prices.get(price)?);
    let lasts = |price: &SandboxPrice| {
        price.recurring.map_or(0, |every| calendar::add(0, every.interval, every.count))
    };
    let asked = |kind: &str| configuration.at_period_end.iter().any(|known| known == kind);
    let smaller = after.unit_amount < before.unit_amount && asked("decreasing_item_amount");
    let shorter = lasts(after) < lasts(before) && asked("shortening_interval");
    Ok(smaller || shorter)
}

fn change_later(
    state: &mut SandboxState,
    row: &SandboxSubscription,
    price: String,
) -> Result<&'static str, SandboxFailure> {
    if let Some(schedule) = &row.schedule {
        state.release_schedule(schedule)?;
    }
    let items = row.items.iter().enumerate().map(|(place, item)| SchedulePhaseItem {
        price: if place == 0 { price.clone() } else { item.price.clone() },
        quantity: item.quantity,
        metadata: item.metadata.clone(),
    });
    state.schedule_change(&row.id, items.collect())?;
    Ok("Your plan changes when this period ends.")
}

fn take_card(
    state: &mut SandboxState,
    session: &PortalSession,
    wanted: &Params,
) -> Result<&'static str, SandboxFailure> {
    let card = wanted.text("number").and_then(TestCard::by_number);
    let card = card.ok_or_else(|| SandboxFailure::invalid("Your card number is incorrect."))?;
    if let Behaviour::Refuses(decline) = card.behaviour {
        return Err(decline.failure());
    }
    let id = state.store.ids.make("pm");
    state.store.payment_methods.put(PaymentMethod {
        id: id.clone(),
        created: state.store.now,
        customer: None,
        card,
        exp_year: year(state.store.now).saturating_add(4),
        exp_month: 12,
        set_up: true,
        email: None,
        name: None,
        metadata: ObjectMetadata::new(),
    });
    state.attach(&id, &session.customer)?;
    state
        .change_customer(&session.customer, |customer| customer.default_payment_method = Some(id.clone()))?;
    let own = state
        .store
        .subscriptions
        .iter()
        .filter(|row| row.customer == session.customer && !row.status.has_ended());
    let own: Vec<String> = own.map(|row| row.id.clone()).collect();
    for row in own {
        state.change_subscription(&row, |row| row.default_payment_method = Some(id.clone()))?;
    }
    Ok("This card is used from now on.")
}
