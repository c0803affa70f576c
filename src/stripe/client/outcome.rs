//! What does it mean when Stripe does not say yes? Four things, which a caller answers in four ways.

use ::stripe::StripeError;
use serde::{Deserialize, Serialize};

/// Stripe understood the request, and refused it. Nothing was changed.
///
/// Stripe's sentence for people is deliberately left out: it may repeat what a person typed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Stripe's type of error, such as `card_error`.
    pub kind: String,
    /// Stripe's code, such as `resource_missing`.
    pub code: Option<String>,
    /// Why a bank said no, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// The parameter of Stripe's that it is about.
    pub parameter: Option<String>,
    /// Whether somebody's way to pay was refused, and not the request.
    pub declined: bool,
}

/// Whether what was asked about is not there.
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
    #[error("Stripe does not take the key")]
    KeyNotTaken,
    /// Nothing was changed.
    #[error("Stripe does not take requests now")]
    Unavailable,
    /// It may have happened. The same request with the same key will tell.
    #[error("whether Stripe did it is not known")]
    OutcomeUnknown,
}

/// The words with which the HTTP client says that it never came to send anything.
const NOT_CONNECTED: &str = "client error (Connect)";

impl CallError {
    pub(super) fn of(error: &StripeError) -> Self {
        match error {
            StripeError::Stripe(_, 401 | 403) => Self::KeyNotTaken,
            // Refused before any work was begun.
            StripeError::Stripe(_, 429) => Self::Unavailable,
            // 409: another request with the key is being worked on, and what comes of it is not known yet.
            StripeError::Stripe(_, 409 | 500..) => Self::OutcomeUnknown,
            // The key was asked with before, in other words: what came of that is not said.
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
            // An address that cannot be built is never sent to.
            StripeError::ConfigError(_) => Self::Unavailable,
            // What is no answer of Stripe's comes from something in between, and says nothing about Stripe.
            StripeError::ClientError(_) | StripeError::JSONDeserialize(_) | StripeError::Timeout => {
                Self::OutcomeUnknown
            }
        }
    }

    /// What Stripe said, if it said no.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }

    /// Whether asking again may have another outcome.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable | Self::OutcomeUnknown => true,
            Self::Rejected(_) | Self::KeyNotTaken => false,
        }
    }

    /// What is known after this try, when an earlier one ended as `earlier`: what may have happened may have happened,
    /// also when Stripe was too busy to say so afterwards.
    pub(super) fn after(self, earlier: Option<&Self>) -> Self {
        match (earlier, self) {
            (Some(Self::OutcomeUnknown), Self::Unavailable | Self::KeyNotTaken) => Self::OutcomeUnknown,
            (_, latest) => latest,
        }
    }
}

/// Why a call has no answer, for whoever reads the log. What a person may have typed in is left out.
pub(super) fn cause(error: &StripeError) -> String {
    match error {
        StripeError::Stripe(error, status) => format!("it answered {status}, {}", error.type_.as_str()),
        StripeError::JSONDeserialize(_) => "its answer cannot be read".to_owned(),
        StripeError::ClientError(text) | StripeError::ConfigError(text) => text.clone(),
        StripeError::Timeout => "there was no answer in time".to_owned(),
    }
}
