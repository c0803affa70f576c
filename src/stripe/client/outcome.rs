//! What does it mean if Stripe does not carry out a request? There are four cases, which a caller handles differently.

use ::stripe::StripeError;
use serde::{Deserialize, Serialize};

/// Stripe understood the request, and refused it. Nothing was changed.
///
/// Stripe's message is deliberately left out, since it may repeat what a person entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Stripe's type of error, such as `card_error`.
    pub kind: String,
    /// Stripe's code, such as `resource_missing`.
    pub code: Option<String>,
    /// The bank's reason, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// The parameter of Stripe's API that the error is about.
    pub parameter: Option<String>,
    /// Whether a payment was declined, and not the request refused.
    pub declined: bool,
}

/// Whether Stripe does not have the object.
#[must_use]
pub fn is_missing(rejection: &Rejection) -> bool {
    rejection.code.as_deref() == Some("resource_missing")
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("Stripe refused the request")]
    Rejected(Rejection),
    /// Nothing was changed.
    #[error("Stripe does not accept the key")]
    KeyNotTaken,
    /// Nothing was changed.
    #[error("Stripe does not accept requests now")]
    Unavailable,
    /// It may have happened. Sending the same request with the same key returns the outcome.
    #[error("it is not known whether Stripe did it")]
    OutcomeUnknown,
}

/// The HTTP client's error text if it could not connect, so that nothing was sent.
const NOT_CONNECTED: &str = "client error (Connect)";

impl CallError {
    pub(super) fn of(error: &StripeError) -> Self {
        match error {
            StripeError::Stripe(_, 401 | 403) => Self::KeyNotTaken,
            // Refused before Stripe began to work on it.
            StripeError::Stripe(_, 429) => Self::Unavailable,
            // 409: another request with this key is in progress, and its outcome is not known yet.
            StripeError::Stripe(_, 409 | 500..) => Self::OutcomeUnknown,
            // The key was used for a different request, whose outcome Stripe does not return.
            StripeError::Stripe(error, _) if error.type_.as_str() == "idempotency_error" => {
                Self::OutcomeUnknown
            }
            StripeError::Stripe(error, _) => Self::Rejected(Rejection {
                kind: error.type_.as_str().to_owned(),
                code: error.code.as_ref().map(|code| code.as_str().to_owned()),
                decline_code: error.decline_code.clone(),
                parameter: error.param.clone(),
                declined: error.type_.as_str() == "card_error" || error.decline_code.is_some(),
            }),
            StripeError::ClientError(text) if text.starts_with(NOT_CONNECTED) => Self::Unavailable,
            // Nothing is sent to a URL that cannot be built.
            StripeError::ConfigError(_) => Self::Unavailable,
            // Such an answer comes from something in between, and says nothing about what Stripe did.
            StripeError::ClientError(_) | StripeError::JSONDeserialize(_) | StripeError::Timeout => {
                Self::OutcomeUnknown
            }
        }
    }

    /// Stripe's refusal, if it refused.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }

    /// Whether another attempt may have another outcome.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable | Self::OutcomeUnknown => true,
            Self::Rejected(_) | Self::KeyNotTaken => false,
        }
    }

    /// What is known after this attempt, if an earlier one ended as `earlier`: an unknown outcome stays unknown, unless
    /// Stripe answers.
    pub(super) fn after(self, earlier: Option<&Self>) -> Self {
        match (earlier, self) {
            (Some(Self::OutcomeUnknown), Self::Unavailable | Self::KeyNotTaken) => Self::OutcomeUnknown,
            (_, latest) => latest,
        }
    }
}

/// Why a call has no answer, for the log. What a person may have entered is left out.
pub(super) fn cause(error: &StripeError) -> String {
    match error {
        StripeError::Stripe(error, status) => format!("it answered {status}, {}", error.type_.as_str()),
        StripeError::JSONDeserialize(_) => "its answer cannot be read".to_owned(),
        StripeError::ClientError(text) | StripeError::ConfigError(text) => text.clone(),
        StripeError::Timeout => "there was no answer in time".to_owned(),
    }
}
