//! `/v1/billing_portal/sessions` and `/v1/billing_portal/configurations`

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    call::{Call, Params},
    failure::SandboxFailure,
    ids,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::portal::{Configuration, Confirm, Flow, PortalSession},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/billing_portal/configurations", create),
    operation("GET", "/v1/billing_portal/configurations", list),
    operation("GET", "/v1/billing_portal/configurations/{configuration}", retrieve),
    operation("POST", "/v1/billing_portal/configurations/{configuration}", update),
    operation("POST", "/v1/billing_portal/sessions", open),
];

const REASONS: [&str; 8] = [
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let mut configuration = fresh(state);
    configuration.is_default = false;
    configuration.cancel = false;
    configuration.update = false;
    configuration.method_update = false;
    configuration.invoice_history = false;
    assign(&mut configuration, &call.params);
    let id = configuration.id.clone();
    state.store.configurations.put(configuration);
    let object = state.store.configurations.get(&id)?.render(&state.store);
    state.emit("billing_portal.configuration.created", object.clone());
    Ok(object)
}

/// The configuration that is used while there is no other: everything is allowed.
fn fresh(state: &mut SandboxState) -> Configuration {
    Configuration {
        id: state.store.ids.make("bpc"),
        created: state.store.now,
        updated: state.store.now,
        active: true,
        is_default: true,
        name: None,
        default_return_url: None,
        headline: None,
        privacy_policy_url: None,
        terms_of_service_url: None,
        metadata: crate::call::ObjectMetadata::new(),
        method_update: true,
        invoice_history: true,
        cancel: true,
        cancel_at_period_end: true,
        cancel_proration: "none".to_owned(),
        cancel_reasons: REASONS.map(str::to_owned).to_vec(),
        update: true,
        proration_behavior: "none".to_owned(),
        ends_trial: true,
        restarts: false,
        at_period_end: Vec::new(),
        products: Vec::new(),
    }
}

fn assign(configuration: &mut Configuration, params: &Params) {
    params.assign("name", &mut configuration.name);
    params.assign("default_return_url", &mut configuration.default_return_url);
    params.assign("business_profile.headline", &mut configuration.headline);
    params.assign("business_profile.privacy_policy_url", &mut configuration.privacy_policy_url);
    params.assign("business_profile.terms_of_service_url", &mut configuration.terms_of_service_url);
    params.merge_metadata("metadata", &mut configuration.metadata);
    let flags = [
        ("active", &mut configuration.active),
        ("features.payment_method_update.enabled", &mut configuration.method_update),
        ("features.invoice_history.enabled", &mut configuration.invoice_history),
        ("features.subscription_cancel.enabled", &mut configuration.cancel),
        ("features.subscription_update.enabled", &mut configuration.update),
    ];
    for (name, flag) in flags {
        *flag = params.boolean(name).unwrap_or(*flag);
    }
    if let Some(mode) = params.text("features.subscription_cancel.mode") {
        configuration.cancel_at_period_end = mode == "at_period_end";
    }
    if params.has("features.subscription_cancel.cancellation_reason") {
        let enabled =
            params.boolean("features.subscription_cancel.cancellation_reason.enabled") == Some(true);
        let reasons = params.texts("features.subscription_cancel.cancellation_reason.options");
        configuration.cancel_reasons = if enabled { reasons } else { Vec::new() };
    }
    if let Some(behavior) = params.owned("features.subscription_update.proration_behavior") {
        configuration.proration_behavior = behavior;
    }
    if let Some(behavior) = params.owned("features.subscription_cancel.proration_behavior") {
        configuration.cancel_proration = behavior;
    }
    if let Some(behavior) = params.text("features.subscription_update.trial_update_behavior") {
        configuration.ends_trial = behavior == "end_trial";
    }
    if let Some(anchor) = params.text("features.subscription_update.billing_cycle_anchor") {
        configuration.restarts = anchor == "now";
    }
    if params.has("features.subscription_update.schedule_at_period_end") {
        let conditions = params.list("features.subscription_update.schedule_at_period_end.conditions");
        configuration.at_period_end = conditions.iter().filter_map(|one| one.owned("type")).collect();
    }
    if params.has("features.subscription_update.products") {
        let products = params.list("features.subscription_update.products");
        configuration.products = products
            .iter()
            .filter_map(|product| Some((product.owned("product")?, product.texts("prices"))))
            .collect();
    }
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (active, default) = (call.params.boolean("active"), call.params.boolean("is_default"));
    page(
        &state.store,
        &state.store.configurations,
        call,
        "/v1/billing_portal/configurations",
        |configuration| {
            active.is_none_or(|active| configuration.active == active)
                && default.is_none_or(|default| configuration.is_default == default)
        },
    )
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.configurations.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = retrieve(state, call)?;
    let now = state.store.now;
    let configuration = state.store.configurations.get_mut(call.id())?;
    configuration.updated = now;
    assign(configuration, &call.params);
    let after = retrieve(state, call)?;
    state.emit_change("billing_portal.configuration.updated", &before, after.clone());
    Ok(after)
}

fn open(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let customer = state.store.customer(params.required("customer")?)?.id.clone();
    let configuration = match params.text("configuration") {
        Some(id) => {
            let known = state
                .store
                .configurations
                .get(id)
                .map_err(|failure| failure.status(400).param("configuration"))?;
            if !known.active {
                return Err(
                    SandboxFailure::invalid("This configuration is not active.").param("configuration")
                );
            }
            known.id.clone()
        }
        None => default_configuration(state),
    };
    let flow = flow(state, params, &customer, &configuration)?;
    let id = state.store.ids.make("bps");
    state.store.portal_sessions.put(PortalSession {
        id: id.clone(),
        created: state.store.now,
        customer,
        configuration,
        return_url: params.owned("return_url"),
        locale: params.owned("locale"),
        flow,
        secret: ids::letters(32),
    });
    let object = state.store.portal_sessions.get(&id)?.render(&state.store);
    state.emit("billing_portal.session.created", object.clone());
    Ok(object)
}

/// The flow that a session is opened for, if any. A flow that is not possible is refused.
fn flow(
    state: &SandboxState,
    params: &Params,
    customer: &str,
    configuration: &str,
) -> Result<Option<Flow>, SandboxFailure> {
    let Some(kind) = params.owned("flow_data.type") else { return Ok(None) };
    let confirm = params.nested("flow_data.subscription_update_confirm");
    let confirm = match (kind.as_str(), confirm) {
        ("subscription_update_confirm", Some(confirm)) => {
            Some(confirmed(state, &confirm, customer, configuration)?)
        }
        ("subscription_update_confirm", None) => {
            return Err(SandboxFailure::missing("flow_data[subscription_update_confirm]"));
        }
        _ => None,
    };
    let cancel = match kind.as_str() {
        "subscription_cancel" => Some(cancelled(state, params, customer)?),
        _ => None,
    };
    let redirect = params.owned("flow_data.after_completion.redirect.return_url");
    Ok(Some(Flow { kind, confirm, cancel, redirect }))
}

/// The subscription that a flow cancels. One that is already set to end is refused.
fn cancelled(state: &SandboxState, params: &Params, customer: &str) -> Result<String, SandboxFailure> {
    const NAME: &str = "flow_data[subscription_cancel]";
    let cancel =
        params.nested("flow_data.subscription_cancel").ok_or_else(|| SandboxFailure::missing(NAME))?;
    let id = cancel.required("subscription")?;
    let row = state.store.subscriptions.get(id).map_err(|failure| failure.status(400))?;
    if row.customer != customer || row.status.has_ended() {
        return Err(SandboxFailure::no_such("subscription", id).status(400));
    }
    if row.ends_at().is_some() {
        return Err(SandboxFailure::invalid("This subscription is already set to be canceled.").param(NAME));
    }
    Ok(row.id.clone())
}

fn confirmed(
    state: &SandboxState,
    params: &Params,
    customer: &str,
    configuration: &str,
) -> Result<Confirm, SandboxFailure> {
    const NAME: &str = "flow_data[subscription_update_confirm]";
    let id = params.required("subscription")?;
    let row = state.store.subscriptions.get(id).map_err(|failure| failure.status(400))?;
    if row.customer != customer || row.status.has_ended() {
        return Err(SandboxFailure::no_such("subscription", id).status(400));
    }
    let items = params.list("items");
    let item = items.first().ok_or_else(|| SandboxFailure::missing(&format!("{NAME}[items]")))?;
    let (id, price) = (item.required("id")?.to_owned(), item.required("price")?.to_owned());
    if !row.items.iter().any(|known| known.id == id) {
        return Err(SandboxFailure::no_such("subscription item", &id).status(400));
    }
    let configuration = state.store.configurations.get(configuration)?;
    let offered = configuration.update
        && configuration.choices(&state.store, row).iter().any(|choice| choice.id == price);
    if !offered {
        let message = format!(
            "The price `{price}` in `items[0][price]` is not included in the portal configuration's \
             `features[subscription_update][products]`."
        );
        return Err(SandboxFailure::invalid(message).param(NAME));
    }
    Ok(Confirm { subscription: row.id.clone(), item: id, price, quantity: item.integer("quantity") })
}

/// The id of the default configuration, which is made if there is none.
pub fn default_configuration(state: &mut SandboxState) -> String {
    let known = state.store.configurations.iter().find(|configuration| configuration.is_default);
    if let Some(known) = known {
        return known.id.clone();
    }
    let configuration = fresh(state);
    let id = configuration.id.clone();
    state.store.configurations.put(configuration);
    id
}
