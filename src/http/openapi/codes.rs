//! Which codes do operations share? Lists of those that come together.

use crate::http::code::Code;

pub(super) const AUTHENTICATED: &[Code] = &[
    Code::Unauthenticated,
    Code::ApiKeyInvalid,
    Code::ApiKeyExpired,
    Code::ScopeMissing,
    Code::AccountNotAllowed,
    Code::RateLimited,
    Code::InvalidParameter,
    Code::Overloaded,
    Code::Unavailable,
    Code::Internal,
];
pub(super) const JSON: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidRequest,
    Code::BodyTooLarge,
    Code::BodyTimeout,
    Code::UnsupportedMediaType,
];
pub(super) const COMMAND: &[Code] = &[
    Code::IdempotencyKeyMissing,
    Code::IdempotencyKeyReused,
    Code::AccountNotFound,
    Code::AccountClosed,
    Code::AmountTooLarge,
    Code::Unavailable,
    Code::OutcomeUnknown,
    Code::AccountDamaged,
];
pub(super) const LIMITED: &[Code] = &[Code::InsufficientCredits, Code::LimitReached, Code::ClockBehind];
pub(super) const PRICED: &[Code] = &[
    Code::ClockBehind,
    Code::InsufficientCredits,
    Code::LimitReached,
    Code::FeatureNotInPlan,
    Code::UnknownGenerationType,
    Code::UnknownOption,
    Code::UnknownOptionValue,
    Code::HoldTooLong,
];
/// What Stripe, or the way to it, can be in the way with.
pub(super) const AT_STRIPE: &[Code] = &[
    Code::BillingOff,
    Code::BillingNotConfigured,
    Code::StripeRejected,
    Code::StripeDeclined,
    Code::StripeUnavailable,
    Code::StripeOutcomeUnknown,
    Code::StripeOutcomeLost,
];
/// What the state of a subscription can be in the way with.
pub(super) const OF_SUBSCRIPTION: &[Code] = &[
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
    Code::SubscriptionState,
    Code::NothingToChange,
    Code::TooManyCheckouts,
];
pub(super) const OF_RESUMPTION: &[Code] = &[
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
    Code::SubscriptionState,
    Code::NothingToChange,
    Code::BillingOffForAccount,
    Code::TooManyCheckouts,
];
pub(super) const OF_CHANGE: &[Code] = &[
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
    Code::SubscriptionState,
    Code::ChangeUnpaid,
    Code::NothingToChange,
    Code::UnknownPlan,
    Code::NotForSale,
    Code::BillingOffForAccount,
    Code::PreviewExpired,
    Code::TooManyCheckouts,
];
pub(super) const OF_PORTAL: &[Code] = &[
    Code::NoCustomer,
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
    Code::SubscriptionState,
    Code::ChangeUnpaid,
    Code::NothingToChange,
    Code::UnknownPlan,
    Code::NotForSale,
    Code::BillingOffForAccount,
];
pub(super) const OF_PREVIEW: &[Code] = &[
    Code::AccountNotFound,
    Code::AccountClosed,
    Code::AmountTooLarge,
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
    Code::SubscriptionState,
    Code::ChangeUnpaid,
    Code::NothingToChange,
    Code::UnknownPlan,
    Code::NotForSale,
    Code::BillingOffForAccount,
    Code::PreviewExpired,
];
pub(super) const OF_UPCOMING: &[Code] = &[
    Code::AccountNotFound,
    Code::AccountClosed,
    Code::NoSubscription,
    Code::SubscriptionNotFound,
    Code::SeveralSubscriptions,
];
/// What a customer that is to be can be refused for.
pub(super) const LINKING: &[Code] = &[
    Code::CustomerTaken,
    Code::AccountNotFound,
    Code::AccountClosed,
    Code::NoCustomer,
    Code::Unavailable,
    Code::OutcomeUnknown,
    Code::AccountDamaged,
];
pub(super) const OF_CUSTOMER: &[Code] = &[Code::AccountNotFound, Code::AccountClosed, Code::NoCustomer];
pub(super) const OF_METHOD: &[Code] =
    &[Code::AccountNotFound, Code::AccountClosed, Code::PaymentMethodNotFound];
pub(super) const FOR_EVERYBODY: &[Code] = &[Code::RateLimited, Code::InvalidParameter];
pub(super) const OF_HOLD: &[Code] = &[Code::HoldNotFound, Code::HoldAlreadyResolved];
