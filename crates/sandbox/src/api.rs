//! How is a request to Stripe's API answered?
//! Its key and operation are checked, a repeated request gets its first answer, and any other is carried out.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State as Shares,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::Engine;
use serde_json::{Map, Value, json};

use super::{
    call::{Call, Params},
    failure::{ApiFault, SandboxFailure},
    form, ids,
    objects::{NEWEST, expand},
    operations::{self, SandboxAnswer, SandboxOperation},
    outbox::api_versions::is_dated,
    parameters,
    shared::SharedSandbox,
    state::SandboxState,
};

const KEY_CHARACTERS_MAX: usize = 255;

/// A request to the API, before its operation is looked up.
struct ApiRequest {
    method: String,
    path: String,
    form: Map<String, Value>,
    key: Option<String>,
    /// The API key of the request.
    secret: String,
    id: String,
}

struct ApiAnswer {
    status: u16,
    body: Value,
    replayed: bool,
}

pub(super) async fn answer(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let id = format!("req_{}", ids::letters(14));
    let asked = match read(&method, &uri, &headers, &body, id.clone()) {
        Ok(asked) => asked,
        Err(failure) => return respond(&id, None, &refused(&failure, &id)),
    };
    let fault = shared.with(|state| state.faults.pop_front());
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        if !fault.after_work
            && let Some(broken) = broken(fault, &asked)
        {
            return broken;
        }
    }
    let answered = shared.with(|state| perform(state, &asked));
    shared.wake.notify_one();
    let broken = fault.filter(|fault| fault.after_work).and_then(|fault| broken(&fault, &asked));
    broken.unwrap_or_else(|| respond(&asked.id, asked.key.as_deref(), &answered))
}

/// The answer of a fault.
fn broken(fault: &ApiFault, asked: &ApiRequest) -> Option<Response> {
    if fault.cut {
        // The connection ends within the body.
        let halves = [Ok("{\"id\":"), Err(std::io::Error::other("cut on request"))];
        return Some(Body::from_stream(futures::stream::iter(halves)).into_response());
    }
    let failure = match fault.status? {
        429 => SandboxFailure::api(429, "Request rate limit exceeded.").code("rate_limit"),
        status => SandboxFailure::api(status, "The sandbox was asked to fail."),
    };
    Some(respond(&asked.id, asked.key.as_deref(), &refused(&failure, &asked.id)))
}

fn read(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    id: String,
) -> Result<ApiRequest, SandboxFailure> {
    let secret = authenticate(headers)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("stripe-version").is_some_and(|version| !is_dated(version)) {
        return Err(SandboxFailure::invalid("Invalid Stripe API version.").param("Stripe-Version"));
    }
    let body = std::str::from_utf8(body).map_err(|_| SandboxFailure::invalid("The body is not a form."))?;
    if !body.is_empty() && text("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        let message = "You sent JSON; requests to v1 are forms (application/x-www-form-urlencoded).";
        return Err(SandboxFailure::invalid(message).status(415));
    }
    let mut tree = form::parse(uri.query().unwrap_or_default());
    tree.extend(form::parse(body));
    let key = text("idempotency-key").filter(|_| method == Method::POST).map(str::to_owned);
    if key.as_ref().is_some_and(|key| key.len() > KEY_CHARACTERS_MAX) {
        let message = "Idempotency keys may have at most 255 characters.";
        return Err(SandboxFailure::invalid(message));
    }
    Ok(ApiRequest { method: method.to_string(), path: uri.path().to_owned(), form: tree, key, secret, id })
}

/// Accepts every test key, and refuses live keys.
fn authenticate(headers: &HeaderMap) -> Result<String, SandboxFailure> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = match header.split_once(' ') {
        Some(("Bearer", key)) => key.trim().to_owned(),
        Some(("Basic", encoded)) => {
            let decoded =
                base64::engine::general_purpose::STANDARD.decode(encoded.trim()).unwrap_or_default();
            let decoded = String::from_utf8_lossy(&decoded).into_owned();
            decoded.split(':').next().unwrap_or_default().to_owned()
        }
        Some(_) | None => String::new(),
    };
    let refuse = |message: &str| Err(SandboxFailure::invalid(message).status(401));
    if key.is_empty() {
        return refuse(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        );
    }
    if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
        return refuse(
            "This is a sandbox, and a live key was sent to it. Nothing was done. Use sk_test_… here.",
        );
    }
    if key.starts_with("sk_test_") || key.starts_with("rk_test_") {
        return Ok(key);
    }
    refuse(
        "Invalid API Key provided: in the sandbox, any key that begins with sk_test_ or rk_test_ is taken.",
    )
}

/// Refuses what a restricted key may not use.
fn permit(state: &SandboxState, asked: &ApiRequest) -> Result<(), SandboxFailure> {
    let Some(allowed) = state.restricted.get(&asked.secret) else { return Ok(()) };
    let path = asked.path.trim_start_matches("/v1/");
    if allowed.iter().any(|resource| path.starts_with(resource.as_str())) {
        return Ok(());
    }
    let message = format!(
        "The provided key does not have the required permissions for this endpoint ({} {}).",
        asked.method, asked.path
    );
    Err(SandboxFailure::invalid(message).status(403))
}

fn perform(state: &mut SandboxState, asked: &ApiRequest) -> ApiAnswer {
    let Some((operation, ids)) = operations::find(&asked.method, &asked.path) else {
        let message = format!("Unrecognized request URL ({}: {}).", asked.method, asked.path);
        return refused(&SandboxFailure::invalid(message).status(404), &asked.id);
    };
    if let Err(failure) = permit(state, asked) {
        return refused(&failure, &asked.id);
    }
    let print = format!("{} {} {}", asked.method, asked.path, Value::Object(asked.form.clone()));
    if let Some(key) = &asked.key {
        match state.kept.find(key, &print, state.store.now) {
            Ok(Some(known)) => {
                return ApiAnswer { status: known.status, body: known.body.clone(), replayed: true };
            }
            Ok(None) => {}
            Err(failure) => return refused(&failure, &asked.id),
        }
    }
    let name = format!("{} {}", operation.method, operation.path);
    // The key of a request that was refused here is not kept, so the corrected request may use it.
    let params = match parameters::conform(&name, &asked.form) {
        Ok(params) => Params(params),
        Err(failure) => return refused(&failure, &asked.id),
    };
    let paths = params.texts("expand");
    let call = Call { ids, params };
    state.outbox.cause = Some((asked.id.clone(), asked.key.clone()));
    let done = (operation.run)(state, &call).or_else(|failure| recorded(state, operation, &call, failure));
    let done = done.and_then(|mut value| expand::expand(&state.store, &mut value, &paths).map(|()| value));
    state.outbox.publish(&state.store);
    state.outbox.cause = None;
    let answered = match done {
        Ok(body) => ApiAnswer { status: 200, body, replayed: false },
        Err(failure) => refused(&failure, &asked.id),
    };
    if let Some(key) = &asked.key {
        state.kept.keep(key, &print, state.store.now, answered.status, &answered.body);
    }
    answered
}

/// Answers with a recorded object if the sandbox has none with the id.
fn recorded(
    state: &SandboxState,
    operation: &SandboxOperation,
    call: &Call,
    failure: SandboxFailure,
) -> SandboxAnswer {
    let known = state.store.recorded.retrieve(operation.path, call.id());
    known.filter(|_| operation.method == "GET" && failure.status == 404).cloned().ok_or(failure)
}

fn refused(failure: &SandboxFailure, request: &str) -> ApiAnswer {
    ApiAnswer { status: failure.status, body: failure.render(request), replayed: false }
}

fn respond(id: &str, key: Option<&str>, answered: &ApiAnswer) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_string_pretty(&answered.body).unwrap_or_else(|_| json!({}).to_string());
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("stripe-version", HeaderValue::from_static(NEWEST));
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("request-id", id);
    if let Some(key) = key {
        put("idempotency-key", key);
    }
    if answered.replayed {
        put("idempotent-replayed", "true");
    }
    response
}
