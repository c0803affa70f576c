//! What does it mean if Stripe does not carry out a request? There are four cases, which a caller handles differently.

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use super::transport::{StripeErrorDocument, TransportError};

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

impl CallError {
    pub(super) fn of(error: &TransportError) -> Self {
        match error {
            TransportError::Refused { status, error } => Self::refused(*status, error),
            TransportError::NotConnected(_) => Self::Unavailable,
            // Such an answer comes from something in between, and says nothing about what Stripe did.
            TransportError::TimedOut | TransportError::Lost(_) | TransportError::Unreadable => {
                Self::OutcomeUnknown
            }
        }
    }

    fn refused(status: StatusCode, error: &StripeErrorDocument) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::KeyNotTaken,
            // Refused before Stripe began to work on it.
            StatusCode::TOO_MANY_REQUESTS => Self::Unavailable,
            // Another request with this key is in progress, and its outcome is not known yet.
            StatusCode::CONFLICT => Self::OutcomeUnknown,
            status if status.is_server_error() => Self::OutcomeUnknown,
            // The key was used for a different request, whose outcome Stripe does not return.
            _ if error.kind == "idempotency_error" => Self::OutcomeUnknown,
            _ => Self::Rejected(Rejection {
                kind: error.kind.clone(),
                code: error.code.clone(),
                decline_code: error.decline_code.clone(),
                parameter: error.param.clone(),
                declined: error.kind == "card_error" || error.decline_code.is_some(),
            }),
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
