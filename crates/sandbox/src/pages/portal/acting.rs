//! What happens when a customer presses a button on the portal?

use crate::{
    billing::{
        changing::{self, ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
        ending::CancellationDetails,
        payments, planning, schedules,
        stopping::{self, PaidTime},
    },
    calendar::{self, year},
    call::{ObjectMetadata, Params},
    failure::SandboxFailure,
    state::SandboxState,
    store::{
        card::{Behaviour, TestCard},
        payment_method::PaymentMethod,
        portal::{Configuration, Flow, PortalSession},
        price::SandboxPrice,
        schedule::SchedulePhaseItem,
        subscription::SandboxSubscription,
    },
};

pub fn act(
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
        if row.status.has_ended() {
            return Err(SandboxFailure::no_such("subscription", &confirm.subscription));
        }
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
            stopping::cancel_subscription(state, id, words, money)?;
            Ok("Your subscription has ended.")
        }
        Some("stay") if is_whole => {
            if let Some(schedule) = &row.schedule {
                schedules::release_schedule(state, schedule)?;
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

/// Schedules a cancellation at the end of the period. In the flexible billing mode, only `cancel_at` says so.
fn schedule(
    state: &mut SandboxState,
    row: &SandboxSubscription,
    wanted: &Params,
) -> Result<&'static str, SandboxFailure> {
    let now = state.store.now;
    if let Some(schedule) = &row.schedule {
        schedules::release_schedule(state, schedule)?;
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
        schedules::release_schedule(state, schedule)?;
    }
    let mut wish = SubscriptionUpdate::new(vec![change], proration, state.store.now);
    wish.ends_trial = configuration.ends_trial;
    wish.restart = configuration.restarts;
    let planned = planning::plan_change(state, &row.id, &wish)?;
    changing::apply_change(
        state,
        planned,
        proration,
        PaymentBehavior { or_nothing: true, when_paid: false },
    )?;
    Ok("Your plan was changed.")
}

/// Whether the configuration keeps a change for the end of the period.
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
        schedules::release_schedule(state, schedule)?;
    }
    let items = row.items.iter().enumerate().map(|(place, item)| SchedulePhaseItem {
        price: if place == 0 { price.clone() } else { item.price.clone() },
        quantity: item.quantity,
        metadata: item.metadata.clone(),
    });
    schedules::schedule_change(state, &row.id, items.collect())?;
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
    payments::attach(state, &id, &session.customer)?;
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
