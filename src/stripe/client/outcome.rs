//! What does it mean when Stripe does not say yes? Four things, which a caller answers in four ways.

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use super::transport::{StripeErrorDocument, TransportError};

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

impl CallError {
    pub(super) fn of(error: &TransportError) -> Self {
        match error {
            TransportError::Refused { status, error } => Self::refused(*status, error),
            TransportError::NotConnected(_) => Self::Unavailable,
            // What is no answer of Stripe's comes from something in between, and says nothing about Stripe.
            TransportError::TimedOut | TransportError::Lost(_) | TransportError::Unreadable => {
                Self::OutcomeUnknown
            }
        }
    }

    fn refused(status: StatusCode, error: &StripeErrorDocument) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::KeyNotTaken,
            // Refused before any work was begun.
            StatusCode::TOO_MANY_REQUESTS => Self::Unavailable,
            // Another request with the key is being worked on, and what comes of it is not known yet.
            StatusCode::CONFLICT => Self::OutcomeUnknown,
            status if status.is_server_error() => Self::OutcomeUnknown,
            // The key was asked with before, in other words: what came of that is not said.
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
