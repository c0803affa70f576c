//! What is answered when a request is refused? Stripe's error object, with its types and codes.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The result of an operation.
pub type SandboxAnswer = Result<Value, SandboxFailure>;

/// A requested fault of calls to the API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiFault {
    pub status: Option<u16>,
    pub delay_ms: u64,
    /// Whether the request is carried out, and only its answer is replaced.
    pub after_work: bool,
    /// Whether the connection ends within the answer.
    pub cut: bool,
    pub times: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxFailure {
    pub status: u16,
    kind: &'static str,
    code: Option<Box<str>>,
    decline_code: Option<Box<str>>,
    param: Option<Box<str>>,
    message: Box<str>,
    /// Objects in the error, such as the payment intent of a declined card.
    with: Vec<(&'static str, Value)>,
}

impl SandboxFailure {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            decline_code: None,
            param: None,
            message: message.into().into(),
            with: Vec::new(),
        }
    }

    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into().into());
        self
    }

    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into().into());
        self
    }

    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn with(mut self, name: &'static str, object: Value) -> Self {
        self.with.push((name, object));
        self
    }

    /// An error for a card that was not charged, with status 402.
    pub fn card(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        let refused = Self::invalid(message).status(402).code(code);
        Self { kind: "card_error", decline_code: decline_code.map(Box::from), ..refused }
    }

    pub fn idempotency(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. \
             Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::invalid(message) }
    }

    pub fn api(status: u16, message: &str) -> Self {
        Self { kind: "api_error", ..Self::invalid(message).status(status) }
    }

    /// An error for a missing object. `kind` is Stripe's name of its kind, such as `customer`.
    pub fn no_such(kind: &str, id: &str) -> Self {
        let param = if kind == "checkout session" { "session" } else { "id" };
        Self::invalid(format!("No such {kind}: '{id}'")).code("resource_missing").param(param).status(404)
    }

    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn render(&self, request: &str) -> Value {
        let mut error = json!({
            "type": self.kind,
            "message": self.message,
            "request_log_url": format!("https://sandbox.invalid/logs/{request}"),
        });
        let optional = [("code", &self.code), ("decline_code", &self.decline_code), ("param", &self.param)];
        if let Some(error) = error.as_object_mut() {
            for (name, value) in optional {
                if let Some(value) = value {
                    error.insert(name.to_owned(), json!(value));
                }
            }
            for (name, object) in &self.with {
                error.insert((*name).to_owned(), object.clone());
            }
        }
        json!({ "error": error })
    }
}

/// The failure as an answer outside of `/v1`, without the id of a request.
impl IntoResponse for SandboxFailure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(self.render("sandbox"))).into_response()
    }
}
