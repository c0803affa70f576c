//! What went wrong, and which code does a caller see for it? The one place that says so.
//!
//! A handler returns a [`Failure`]; the edge writes it as a problem, with the request's id, and logs its cause.

use std::{error::Error, sync::Arc};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    domain::refusal::Refusal,
    journal::row::RowError,
    ledger::{ExecuteError, ViewError},
    postgres::away::is_away,
    projector::ProjectorError,
    queries::QueryError,
    stripe::{
        billing::{BillingError, ResourceKind, Unauthenticated},
        client::Rejection,
        envelope::Unparsable,
        inbox::InboxState,
        signature::SignatureError,
    },
};

use super::{code::Code, position::Token};
use crate::auth::keys::{KeyError, KeyScope};

/// Where in a request something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlace {
    pub part: RequestPart,
    /// In a body the JSON path, such as `$.options.quality`; else the name.
    pub path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart {
    Body,
    Address,
    Query,
    Header,
}

#[derive(Debug)]
pub enum Failure {
    Execute(ExecuteError),
    /// No key was sent, or not as a bearer token.
    Unauthenticated,
    KeyUnknown,
    KeyExpired,
    /// Too many keys are being looked up.
    KeysBusy,
    ScopeMissing(&'static [KeyScope]),
    AccountNotAllowed,
    RateLimited {
        wait_s: u64,
    },
    IdempotencyKeyMissing,
    InvalidJson(String),
    Invalid {
        place: RequestPlace,
        expected: String,
    },
    BodyTooLarge {
        bytes_max: usize,
    },
    BodyTimeout,
    UnsupportedMediaType,
    RouteNotFound,
    MethodNotAllowed,
    DeductionNotFound,
    ApiKeyNotFound,
    WebhookSignature(SignatureError),
    WebhookUnparsable(Unparsable),
    InboxEventNotFound,
    InboxEventState(InboxState),
    /// Its document is not kept any more.
    InboxEventForgotten,
    AuditBusy,
    /// The operator has switched billing off as a whole.
    BillingOff,
    /// There is no key to ask Stripe with, or none that Stripe takes.
    BillingNotConfigured,
    TooManyCheckouts {
        wait_s: u64,
    },
    /// Stripe understood, and said no.
    Stripe(Rejection),
    /// The bank wants the person's word.
    PersonNotAsked(Box<Unauthenticated>),
    /// At Stripe, or not of this account.
    NotAtStripe(ResourceKind),
    /// The catalog has none.
    ProductNotFound,
    /// At Stripe, by something else.
    NameTaken,
    /// It belongs to another customer.
    PaymentMethodTaken,
    /// Nothing happened at Stripe.
    StripeUnavailable,
    /// It may have happened at Stripe; the same key will tell.
    StripeOutcomeUnknown,
    /// It may have happened at Stripe, and no key will tell any more.
    StripeOutcomeLost,
    PositionUnknown,
    /// A read model is behind; it is as of this position.
    PositionTimeout {
        reached: Token,
    },
    /// The database is away or full. Waiting helps; the cause is logged and never sent.
    Away(Box<dyn Error + Send + Sync>),
    /// The caller can do nothing about it. The cause is logged and never sent.
    Fault(Box<dyn Error + Send + Sync>),
}

impl Failure {
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Execute(error) => match error {
                ExecuteError::Refused(refusal) => code_of_refusal(refusal),
                ExecuteError::KeyReused => Code::IdempotencyKeyReused,
                ExecuteError::Overloaded => Code::Overloaded,
                ExecuteError::Unavailable => Code::Unavailable,
                ExecuteError::OutcomeUnknown => Code::OutcomeUnknown,
                ExecuteError::ClockBehind { .. } => Code::ClockBehind,
                ExecuteError::Damaged => Code::AccountDamaged,
            },
            Self::Unauthenticated => Code::Unauthenticated,
            Self::KeyUnknown => Code::ApiKeyInvalid,
            Self::KeyExpired => Code::ApiKeyExpired,
            Self::KeysBusy => Code::Overloaded,
            Self::ScopeMissing(_) => Code::ScopeMissing,
            Self::AccountNotAllowed => Code::AccountNotAllowed,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::IdempotencyKeyMissing => Code::IdempotencyKeyMissing,
            Self::InvalidJson(_) => Code::InvalidJson,
            Self::Invalid { place, .. } => match place.part {
                RequestPart::Body => Code::InvalidRequest,
                RequestPart::Address | RequestPart::Query | RequestPart::Header => Code::InvalidParameter,
            },
            Self::BodyTooLarge { .. } => Code::BodyTooLarge,
            Self::BodyTimeout => Code::BodyTimeout,
            Self::UnsupportedMediaType => Code::UnsupportedMediaType,
            Self::RouteNotFound => Code::RouteNotFound,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::DeductionNotFound => Code::DeductionNotFound,
            Self::ApiKeyNotFound => Code::ApiKeyNotFound,
            Self::WebhookSignature(_) => Code::WebhookSignatureInvalid,
            Self::WebhookUnparsable(_) => Code::WebhookUnparsable,
            Self::InboxEventNotFound => Code::InboxEventNotFound,
            Self::InboxEventState(_) => Code::InboxEventState,
            Self::InboxEventForgotten => Code::InboxEventForgotten,
            Self::AuditBusy => Code::AuditBusy,
            Self::BillingOff => Code::BillingOff,
            Self::BillingNotConfigured => Code::BillingNotConfigured,
            Self::TooManyCheckouts { .. } => Code::TooManyCheckouts,
            Self::Stripe(rejection) if rejection.declined => Code::StripeDeclined,
            Self::Stripe(_) => Code::StripeRejected,
            Self::PersonNotAsked(_) => Code::StripeDeclined,
            Self::NotAtStripe(ResourceKind::Payment) => Code::PaymentNotFound,
            Self::NotAtStripe(ResourceKind::PaymentMethod | ResourceKind::PreferredMethod) => {
                Code::PaymentMethodNotFound
            }
            Self::ProductNotFound => Code::ProductNotFound,
            Self::NameTaken => Code::NameTaken,
            Self::PaymentMethodTaken => Code::PaymentMethodTaken,
            Self::StripeUnavailable => Code::StripeUnavailable,
            Self::StripeOutcomeUnknown => Code::StripeOutcomeUnknown,
            Self::StripeOutcomeLost => Code::StripeOutcomeLost,
            Self::PositionUnknown => Code::PositionUnknown,
            Self::PositionTimeout { .. } => Code::PositionTimeout,
            Self::Away(_) => Code::Unavailable,
            Self::Fault(_) => Code::Internal,
        }
    }

    /// Something in the body that is JSON, but not what is expected there.
    pub fn body(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid {
            place: RequestPlace { part: RequestPart::Body, path: path.into() },
            expected: expected.into(),
        }
    }

    pub fn address(name: &str, expected: impl Into<String>) -> Self {
        Self::Invalid {
            place: RequestPlace { part: RequestPart::Address, path: name.into() },
            expected: expected.into(),
        }
    }

    pub fn query(name: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid {
            place: RequestPlace { part: RequestPart::Query, path: name.into() },
            expected: expected.into(),
        }
    }

    pub fn header(name: &str, expected: impl Into<String>) -> Self {
        Self::Invalid {
            place: RequestPlace { part: RequestPart::Header, path: name.into() },
            expected: expected.into(),
        }
    }

    /// The database's fault, or ours.
    pub fn fault(cause: impl Error + Send + Sync + 'static) -> Self {
        if is_away(&cause) { Self::Away(Box::new(cause)) } else { Self::Fault(Box::new(cause)) }
    }

    /// An answer that lacks what the rules always write.
    pub fn unexpected(what: &'static str) -> Self {
        Self::Fault(what.into())
    }

    /// Why the program or its database is at fault, for the log and for nobody else.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Fault(cause) | Self::Away(cause) = self { Some(cause.as_ref()) } else { None }
    }

    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.code().about().status
    }
}

/// Every refusal of the rules by name: a new one does not compile until it has a code.
#[must_use]
pub const fn code_of_refusal(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::AccountNotFound => Code::AccountNotFound,
        Refusal::AccountClosed => Code::AccountClosed,
        Refusal::AccountAlreadyOpen => Code::AccountAlreadyOpen,
        Refusal::CustomerTaken => Code::CustomerTaken,
        Refusal::InsufficientCredits { .. } => Code::InsufficientCredits,
        Refusal::FeatureNotInPlan { .. } => Code::FeatureNotInPlan,
        Refusal::LimitReached { .. } => Code::LimitReached,
        Refusal::UnknownGenerationType { .. } => Code::UnknownGenerationType,
        Refusal::UnknownOption { .. } => Code::UnknownOption,
        Refusal::UnknownOptionValue { .. } => Code::UnknownOptionValue,
        Refusal::AmountTooLarge => Code::AmountTooLarge,
        Refusal::HoldNotFound => Code::HoldNotFound,
        Refusal::HoldAlreadyResolved { .. } => Code::HoldAlreadyResolved,
        Refusal::HoldTooLong { .. } => Code::HoldTooLong,
        Refusal::CommitExceedsHold { .. } => Code::CommitExceedsHold,
        Refusal::RefundExceedsDeduction { .. } => Code::RefundExceedsDeduction,
        Refusal::GrantAlreadyExists => Code::GrantAlreadyExists,
        Refusal::GrantHasEnded => Code::GrantHasEnded,
        Refusal::NothingOwed => Code::NothingOwed,
        Refusal::DebtSmaller { .. } => Code::DebtSmaller,
        Refusal::HoldsOpen { .. } => Code::HoldsOpen,
        Refusal::UnknownPlan { .. } => Code::UnknownPlan,
        Refusal::UnknownPack => Code::UnknownPack,
        Refusal::BillingOff => Code::BillingOffForAccount,
        Refusal::NotForSale { .. } => Code::NotForSale,
        Refusal::SubscriptionActive { .. } => Code::SubscriptionActive,
        Refusal::NoTrial => Code::NoTrial,
        Refusal::PaymentOutOfBounds { .. } => Code::PaymentOutOfBounds,
        Refusal::PaymentState { .. } => Code::PaymentState,
        Refusal::CaptureExceedsPayment { .. } => Code::CaptureExceedsPayment,
        Refusal::PartOfPack { .. } => Code::PartOfPack,
        Refusal::TopUpOutOfBounds { .. } => Code::TopUpOutOfBounds,
        Refusal::RefundExceedsPayment { .. } => Code::RefundExceedsPayment,
        Refusal::PackNotRefundable => Code::PackNotRefundable,
        Refusal::PaymentDisputed => Code::PaymentDisputed,
        Refusal::NoCustomer => Code::NoCustomer,
        Refusal::NoSubscription => Code::NoSubscription,
        Refusal::SubscriptionNotFound => Code::SubscriptionNotFound,
        Refusal::SeveralSubscriptions { .. } => Code::SeveralSubscriptions,
        Refusal::SubscriptionState { .. } => Code::SubscriptionState,
        Refusal::ChangeUnpaid { .. } => Code::ChangeUnpaid,
        Refusal::NothingToChange { .. } => Code::NothingToChange,
        Refusal::PreviewExpired { .. } => Code::PreviewExpired,
    }
}

impl IntoResponse for Failure {
    /// Leaves the writing to the edge, which knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::Execute(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Execute(ExecuteError::Refused(refusal))
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::View(error) => error.into(),
            QueryError::Projector(error) => error.into(),
            QueryError::Journal(error) => error.into(),
            QueryError::PositionUnknown => Self::PositionUnknown,
            QueryError::PositionTimeout { reached } => Self::PositionTimeout { reached: Token::of(reached) },
            QueryError::Unsettled(_) | QueryError::Stopped(_) => Self::fault(error),
        }
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::fault(error)
    }
}

impl From<BillingError> for Failure {
    fn from(error: BillingError) -> Self {
        match error {
            BillingError::Off => Self::BillingOff,
            BillingError::NotConfigured => Self::BillingNotConfigured,
            BillingError::Refused(refusal) => Self::from(refusal),
            BillingError::KeyReused => Self::Execute(ExecuteError::KeyReused),
            BillingError::TooMany { wait_s } => Self::TooManyCheckouts { wait_s },
            BillingError::Rejected(rejection) => Self::Stripe(rejection),
            BillingError::Unauthenticated(declined) => Self::PersonNotAsked(declined),
            BillingError::NotFound(sought) => Self::NotAtStripe(sought),
            BillingError::NameTaken => Self::NameTaken,
            BillingError::MethodTaken => Self::PaymentMethodTaken,
            BillingError::CursorUnknown => Self::query("cursor", "it is none that an earlier page had"),
            BillingError::Unavailable => Self::StripeUnavailable,
            BillingError::OutcomeUnknown => Self::StripeOutcomeUnknown,
            BillingError::OutcomeLost => Self::StripeOutcomeLost,
            BillingError::Execute(error) => Self::Execute(error),
            BillingError::View(error) => Self::fault(error),
            BillingError::Storage(error) => Self::fault(error),
            BillingError::Unreadable(error) => Self::fault(error),
        }
    }
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        Self::fault(error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::fault(error)
    }
}

impl From<ProjectorError> for Failure {
    fn from(error: ProjectorError) -> Self {
        Self::fault(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::fault(error)
    }
}
