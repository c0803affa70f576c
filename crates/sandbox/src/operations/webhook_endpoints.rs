//! `/v1/webhook_endpoints`

use super::{SandboxAnswer, SandboxOperation, gone, operation};
use crate::{
    call::{Call, Params},
    failure::SandboxFailure,
    ids,
    objects::Shown,
    objects::paging::page,
    outbox::api_versions::is_version,
    state::SandboxState,
    store::endpoint::Endpoint,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/webhook_endpoints", create),
    operation("GET", "/v1/webhook_endpoints", list),
    operation("GET", "/v1/webhook_endpoints/{webhook_endpoint}", retrieve),
    operation("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update),
    operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let id = state.store.ids.make("we");
    let version = call.params.owned("api_version");
    if version.as_deref().is_some_and(|version| !is_version(version)) {
        let message = format!("Invalid API version: {}", version.unwrap_or_default());
        return Err(SandboxFailure::invalid(message).param("api_version"));
    }
    let mut endpoint = Endpoint {
        id: id.clone(),
        created: state.store.now,
        url: String::new(),
        api_version: version,
        enabled_events: Vec::new(),
        description: call.params.owned("description"),
        enabled: true,
        deleted: false,
        metadata: call.params.metadata("metadata"),
        secret: format!("whsec_{}", ids::letters(32)),
        reveals: true,
    };
    assign(&mut endpoint, &call.params)?;
    let object = endpoint.render(&state.store);
    endpoint.reveals = false;
    state.store.endpoints.put(endpoint);
    Ok(object)
}

fn existing<'a>(state: &'a mut SandboxState, id: &str) -> Result<&'a mut Endpoint, SandboxFailure> {
    let known = state.store.endpoints.find(id).is_some_and(|endpoint| !endpoint.deleted);
    if known {
        state.store.endpoints.get_mut(id)
    } else {
        Err(SandboxFailure::no_such("webhook endpoint", id))
    }
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    page(&state.store, &state.store.endpoints, call, "/v1/webhook_endpoints", |_| true)
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let endpoint = existing(state, call.id())?.clone();
    Ok(endpoint.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let endpoint = existing(state, call.id())?;
    let params = &call.params;
    params.assign("description", &mut endpoint.description);
    params.merge_metadata("metadata", &mut endpoint.metadata);
    if let Some(disabled) = params.boolean("disabled") {
        endpoint.enabled = !disabled;
    }
    assign(endpoint, params)?;
    retrieve(state, call)
}

fn assign(endpoint: &mut Endpoint, params: &Params) -> Result<(), SandboxFailure> {
    if let Some(url) = params.text("url") {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let message = "Invalid URL: An explicit scheme (such as https) must be provided.";
            return Err(SandboxFailure::invalid(message).code("url_invalid").param("url"));
        }
        url.clone_into(&mut endpoint.url);
    }
    if params.has("enabled_events") {
        endpoint.enabled_events = params.texts("enabled_events");
        if endpoint.enabled_events.is_empty() {
            return Err(SandboxFailure::missing("enabled_events"));
        }
    }
    Ok(())
}

fn delete(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    existing(state, call.id())?.deleted = true;
    Ok(gone(call.id(), "webhook_endpoint"))
}
