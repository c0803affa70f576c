//! `/v1/checkout/sessions`

use super::{SandboxAnswer, SandboxOperation, coupons, operation, subscriptions};
use crate::{
    billing::checkout,
    calendar::{DAY_S, MINUTE_S},
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::{page, page_of_values},
    state::SandboxState,
    store::checkout::{CheckoutItem, CheckoutMode, CheckoutStatus, SandboxCheckout},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/checkout/sessions", create),
    operation("GET", "/v1/checkout/sessions", list),
    operation("GET", "/v1/checkout/sessions/{session}", retrieve),
    operation("POST", "/v1/checkout/sessions/{session}/expire", expire),
    operation("GET", "/v1/checkout/sessions/{session}/line_items", line_items),
];

/// How long a session is open if the request does not say, in seconds.
const OPEN_S: i64 = DAY_S;
const OPEN_S_MIN: i64 = 30 * MINUTE_S;
const QUANTITY_MAX: i64 = 999_999;

pub fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let mode = mode(params)?;
    if params.text("ui_mode").is_none_or(|ui| ui == "hosted_page") && params.text("success_url").is_none() {
        return Err(SandboxFailure::missing("success_url"));
    }
    check_mode(params, mode)?;
    if params.has("customer") && params.has("customer_email") {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(SandboxFailure::invalid(message));
    }
    let customer =
        params.text("customer").map(|id| state.store.customer(id).map(|row| row.id.clone())).transpose()?;
    let expires_at = params.integer("expires_at").unwrap_or_else(|| state.store.now.saturating_add(OPEN_S));
    let open = expires_at.saturating_sub(state.store.now);
    if open < OPEN_S_MIN.saturating_sub(MINUTE_S) || open > OPEN_S {
        let message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
        return Err(SandboxFailure::invalid(message).param("expires_at"));
    }
    let items = items(state, params, mode)?;
    let currency = items.first().and_then(|item| state.store.prices.find(&item.price));
    let currency = currency.map(|price| price.currency.clone()).or_else(|| params.owned("currency"));
    let trial_end = subscriptions::trial_end(state, params, "subscription_data.")?;
    let id = format!("cs_test_{}", state.store.ids.make("a1").trim_start_matches("a1_"));
    let session = SandboxCheckout {
        id: id.clone(),
        created: state.store.now,
        mode,
        status: CheckoutStatus::Open,
        payment_status: if mode == CheckoutMode::Setup { "no_payment_required" } else { "unpaid" },
        items,
        currency,
        customer,
        customer_email: params.owned("customer_email"),
        customer_creation: creation(params, mode),
        client_reference_id: params.owned("client_reference_id"),
        success_url: params.owned("success_url"),
        cancel_url: params.owned("cancel_url"),
        expires_at,
        metadata: params.metadata("metadata"),
        allow_promotion_codes: params.boolean("allow_promotion_codes"),
        method_always: params.text("payment_method_collection") != Some("if_required"),
        locale: params.owned("locale"),
        subscription_metadata: params.metadata("subscription_data.metadata"),
        subscription_description: params.owned("subscription_data.description"),
        trial_end,
        discounts: coupons::redeemed(state, params, "discounts")?,
        payment_link: None,
        anchor: subscriptions::anchor(params, "subscription_data."),
        prorates: params.text("subscription_data.proration_behavior") != Some("none"),
        trial_without_method: subscriptions::missing_method(params, "subscription_data.trial_settings"),
        flexible: params.text("subscription_data.billing_mode.type") != Some("classic"),
        intent_metadata: params.metadata("payment_intent_data.metadata"),
        intent_description: params.owned("payment_intent_data.description"),
        intent_manual_capture: params.text("payment_intent_data.capture_method") == Some("manual"),
        intent_future_usage: params.owned("payment_intent_data.setup_future_usage"),
        payment_intent: None,
        setup_intent: None,
        subscription: None,
        invoice: None,
        paid_by: None,
    };
    state.store.sessions.put(session);
    Ok(state.store.sessions.get(&id)?.render(&state.store))
}

fn mode(params: &Params) -> Result<CheckoutMode, SandboxFailure> {
    match params.text("mode") {
        Some("subscription") => Ok(CheckoutMode::Subscription),
        Some("setup") => Ok(CheckoutMode::Setup),
        Some("payment") => Ok(CheckoutMode::Payment),
        Some(_) | None => Err(SandboxFailure::missing("mode")),
    }
}

/// Checks whether the items of a request can be sold.
pub fn check_items(state: &mut SandboxState, params: &Params) -> Result<(), SandboxFailure> {
    let mode = mode(params)?;
    check_mode(params, mode)?;
    items(state, params, mode).map(drop)
}

/// Whether the payment makes a customer.
fn creation(params: &Params, mode: CheckoutMode) -> Option<String> {
    let made = match mode {
        CheckoutMode::Payment => params.owned("customer_creation").or_else(|| Some("if_required".to_owned())),
        CheckoutMode::Subscription => Some("always".to_owned()),
        CheckoutMode::Setup => params.owned("customer_creation"),
    };
    made.filter(|_| !params.has("customer"))
}

fn check_mode(params: &Params, mode: CheckoutMode) -> Result<(), SandboxFailure> {
    let elsewhere = [
        ("subscription_data", CheckoutMode::Subscription),
        ("payment_intent_data", CheckoutMode::Payment),
        ("setup_intent_data", CheckoutMode::Setup),
    ];
    for (name, only) in elsewhere {
        if params.has(name) && mode != only {
            let message = format!("You can not pass `{name}` in `{}` mode.", mode.as_str());
            return Err(SandboxFailure::invalid(message).param(name));
        }
    }
    match (mode, params.list("line_items").is_empty()) {
        (CheckoutMode::Setup, false) => {
            Err(SandboxFailure::invalid("You can not pass `line_items` in `setup` mode.").param("line_items"))
        }
        (CheckoutMode::Payment | CheckoutMode::Subscription, true) => {
            Err(SandboxFailure::missing("line_items"))
        }
        (CheckoutMode::Setup, true) | (CheckoutMode::Payment | CheckoutMode::Subscription, false) => Ok(()),
    }
}

fn items(
    state: &mut SandboxState,
    params: &Params,
    mode: CheckoutMode,
) -> Result<Vec<CheckoutItem>, SandboxFailure> {
    let mut items = Vec::new();
    for (place, line) in params.list("line_items").into_iter().enumerate() {
        let named = |name: &str| format!("line_items[{place}][{name}]");
        let price = match (line.text("price"), line.nested("price_data")) {
            (Some(price), _) => state
                .store
                .prices
                .get(price)
                .map_err(|failure| failure.status(400).param(named("price")))?
                .clone(),
            (None, Some(data)) => {
                let id = price_of_data(state, &data)?;
                state.store.prices.get(&id)?.clone()
            }
            (None, None) => return Err(SandboxFailure::missing(&named("price"))),
        };
        if !price.active {
            let message = format!(
                "The price specified is inactive. This field only accepts active prices: {}",
                price.id
            );
            return Err(SandboxFailure::invalid(message).param(named("price")));
        }
        if mode == CheckoutMode::Payment && price.recurring.is_some() {
            let message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` \
                           mode or use only one-time prices.";
            return Err(SandboxFailure::invalid(message).param("mode"));
        }
        let quantity = line.integer("quantity").ok_or_else(|| SandboxFailure::missing(&named("quantity")))?;
        if !(1..=QUANTITY_MAX).contains(&quantity) {
            return Err(SandboxFailure::invalid("Invalid positive integer").param(named("quantity")));
        }
        let adjustable = (line.boolean("adjustable_quantity.enabled") == Some(true)).then(|| {
            let minimum = line.integer("adjustable_quantity.minimum").unwrap_or(1);
            (minimum, line.integer("adjustable_quantity.maximum").unwrap_or(99))
        });
        if adjustable
            .is_some_and(|(minimum, maximum)| minimum < 0 || maximum > QUANTITY_MAX || minimum > maximum)
        {
            let message = "`minimum` is at least 0, and not more than `maximum`, which is at most 999999.";
            return Err(SandboxFailure::invalid(message).param(named("adjustable_quantity")));
        }
        items.push(CheckoutItem { id: state.store.ids.make("li"), price: price.id, quantity, adjustable });
    }
    let recurring = items
        .iter()
        .any(|item| state.store.prices.find(&item.price).is_some_and(|price| price.recurring.is_some()));
    if mode == CheckoutMode::Subscription && !recurring {
        let message =
            "You must provide at least one recurring price in `subscription` mode when using prices.";
        return Err(SandboxFailure::invalid(message).param("line_items"));
    }
    Ok(items)
}

fn price_of_data(state: &mut SandboxState, data: &Params) -> Result<String, SandboxFailure> {
    let product = match (data.text("product"), data.nested("product_data")) {
        (Some(product), _) => {
            state.store.products.get(product).map_err(|failure| failure.status(400))?.id.clone()
        }
        (None, Some(product)) => super::prices::product_of(state, &product)?,
        (None, None) => return Err(SandboxFailure::missing("line_items[0][price_data][product]")),
    };
    super::prices::make(state, data, product)
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let (customer, subscription) = (params.text("customer"), params.text("subscription"));
    let (intent, status) = (params.text("payment_intent"), params.text("status"));
    page(&state.store, &state.store.sessions, call, "/v1/checkout/sessions", |session| {
        (customer.is_none() || session.customer.as_deref() == customer)
            && (subscription.is_none() || session.subscription.as_deref() == subscription)
            && (intent.is_none() || session.payment_intent.as_deref() == intent)
            && status.is_none_or(|status| session.status.as_str() == status)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.sessions.get(call.id())?.render(&state.store))
}

fn expire(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let session = state.store.sessions.get(call.id())?;
    if session.status != CheckoutStatus::Open {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            session.status.as_str()
        );
        return Err(SandboxFailure::invalid(message));
    }
    checkout::expire_session(state, call.id())?;
    retrieve(state, call)
}

fn line_items(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let items = match state.store.recorded.members(call.id(), "line_items") {
        Some(items) => items,
        None => state.store.sessions.get(call.id())?.line_items(&state.store),
    };
    page_of_values(&items, call, &format!("/v1/checkout/sessions/{}/line_items", call.id()))
}
