//! What does a problem say beyond its code? Sentences for people, members for programs.

use serde_json::{Map, Value, json};

use crate::{
    domain::{
        credits::HoldOutcome,
        limits::LimitState,
        refusal::{Refusal, Unsold},
        subscription::SubscriptionStatus,
        time::Timestamp,
    },
    ledger::ExecuteError,
    stripe::{billing::ResourceKind, client::Rejection, declines::Remedy},
};

use super::failure::{Failure, RequestPart};
use crate::auth::keys::KeyScope;

/// The members of a problem that belong to its code.
#[must_use]
pub fn of(failure: &Failure) -> Map<String, Value> {
    match failure {
        Failure::Execute(ExecuteError::Refused(refusal)) => of_refusal(refusal),
        Failure::Execute(ExecuteError::ClockBehind { behind_s }) => object(json!({ "behind_s": behind_s })),
        Failure::ScopeMissing(scopes) => {
            object(json!({ "scopes": scopes.iter().chain([&KeyScope::Admin]).collect::<Vec<_>>() }))
        }
        Failure::Invalid { place, .. } => object(json!({ "path": place.path, "in": part(place.part) })),
        Failure::InvalidJson(_) => object(json!({ "path": "$", "in": part(RequestPart::Body) })),
        Failure::IdempotencyKeyMissing => {
            object(json!({ "path": "Idempotency-Key", "in": part(RequestPart::Header) }))
        }
        Failure::BodyTooLarge { bytes_max } => object(json!({ "bytes_max": bytes_max })),
        Failure::InboxEventState(state) => object(json!({ "state": state })),
        Failure::PositionTimeout { reached } => object(json!({ "as_of_position": reached })),
        Failure::Stripe(rejection) => of_rejection(rejection),
        Failure::PersonNotAsked(declined) => {
            let mut members = of_rejection(&declined.rejection);
            members.insert("client_secret".to_owned(), json!(declined.client_secret));
            members
        }
        Failure::Execute(
            ExecuteError::KeyReused
            | ExecuteError::Overloaded
            | ExecuteError::Unavailable
            | ExecuteError::OutcomeUnknown
            | ExecuteError::Damaged,
        )
        | Failure::Unauthenticated
        | Failure::KeyUnknown
        | Failure::KeyExpired
        | Failure::KeysBusy
        | Failure::AccountNotAllowed
        | Failure::RateLimited { .. }
        | Failure::BillingOff
        | Failure::BillingNotConfigured
        | Failure::TooManyCheckouts { .. }
        | Failure::NotAtStripe(_)
        | Failure::ProductNotFound
        | Failure::NameTaken
        | Failure::PaymentMethodTaken
        | Failure::StripeUnavailable
        | Failure::StripeOutcomeUnknown
        | Failure::StripeOutcomeLost
        | Failure::BodyTimeout
        | Failure::UnsupportedMediaType
        | Failure::RouteNotFound
        | Failure::MethodNotAllowed
        | Failure::DeductionNotFound
        | Failure::ApiKeyNotFound
        | Failure::InboxEventNotFound
        | Failure::AuditBusy
        | Failure::WebhookSignature(_)
        | Failure::WebhookUnparsable(_)
        | Failure::PositionUnknown
        | Failure::InboxEventForgotten
        | Failure::Away(_)
        | Failure::Fault(_) => Map::new(),
    }
}

/// `next_step` is there when a bank said no.
fn of_rejection(rejection: &Rejection) -> Map<String, Value> {
    let mut members = object(json!({
        "stripe_code": rejection.code, "decline_code": rejection.decline_code,
        "stripe_parameter": rejection.parameter,
    }));
    if let Some(remedy) = rejection.remedy() {
        members.insert("next_step".to_owned(), json!(remedy.as_str()));
    }
    members
}

/// What the caller can do: what helps against this very decline, else what helps against all that has the code.
#[must_use]
pub fn advice(failure: &Failure) -> &'static str {
    let remedy = if let Failure::Stripe(rejection) = failure {
        rejection.remedy()
    } else if let Failure::PersonNotAsked(declined) = failure {
        declined.rejection.remedy()
    } else {
        None
    };
    remedy.map_or(failure.code().about().advice, Remedy::advice)
}

/// The members of a refusal, also where it is told in another answer, such as a quote.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one match names every refusal")]
pub fn of_refusal(refusal: &Refusal) -> Map<String, Value> {
    object(match refusal {
        Refusal::InsufficientCredits { requested, available, held, debt, next_credits_at, upgrade } => {
            json!({
                "requested": requested, "available": available, "held": held, "debt": debt,
                "next_credits_at": next_credits_at, "upgrade": upgrade,
            })
        }
        Refusal::FeatureNotInPlan { missing, plan, plans } => {
            json!({ "missing": missing, "plan": plan, "plans": plans })
        }
        Refusal::LimitReached { limit, requested, windows, plan, plans } => json!({
            "requested": requested, "limit": window(limit), "resets_at": limit.resets_at,
            "windows": windows.iter().map(window).collect::<Vec<_>>(), "plan": plan, "plans": plans,
        }),
        Refusal::UnknownGenerationType { known } => json!({ "path": "$.type", "known": known }),
        Refusal::UnknownOption { option, known } | Refusal::UnknownOptionValue { option, known } => {
            json!({ "path": format!("$.options.{option}"), "option": option, "known": known })
        }
        Refusal::HoldAlreadyResolved { outcome } => json!(outcome),
        Refusal::HoldTooLong { expires_in_s_max } => {
            json!({ "path": "$.expires_in_s", "expires_in_s_max": expires_in_s_max })
        }
        Refusal::CommitExceedsHold { held, requested } => json!({ "held": held, "requested": requested }),
        Refusal::RefundExceedsDeduction { deducted, refunded, requested } => {
            json!({ "deducted": deducted, "refunded": refunded, "requested": requested })
        }
        Refusal::DebtSmaller { debt } => json!({ "debt": debt }),
        Refusal::HoldsOpen { held } => json!({ "held": held }),
        Refusal::UnknownPack => json!({ "path": "$.pack" }),
        Refusal::NoTrial => json!({ "path": "$.trial" }),
        Refusal::UnknownPlan { plan } | Refusal::SubscriptionActive { plan } => json!({ "plan": plan }),
        Refusal::NotForSale(unsold) => json!(unsold),
        Refusal::PaymentOutOfBounds { smallest, largest, currency } => {
            json!({ "smallest": smallest, "largest": largest, "currency": currency })
        }
        Refusal::TopUpOutOfBounds { smallest, largest } => {
            json!({ "path": "$.credits", "smallest": smallest, "largest": largest })
        }
        Refusal::PaymentState { status } => json!({ "payment_status": status }),
        Refusal::CaptureExceedsPayment { capturable, requested } => {
            json!({ "capturable": capturable, "requested": requested })
        }
        Refusal::PartOfPack { price, requested } => json!({ "price": price, "requested": requested }),
        Refusal::RefundExceedsPayment { refundable, requested } => {
            json!({ "refundable": refundable, "requested": requested })
        }
        Refusal::GrantHasEnded => json!({ "path": "$.expires_at" }),
        Refusal::AmountTooLarge => json!({ "path": "$.amount" }),
        Refusal::GrantAlreadyExists => json!({ "path": "$.grant_id" }),
        Refusal::SeveralSubscriptions { subscriptions } => json!({ "subscriptions": subscriptions }),
        Refusal::SubscriptionState { step, terms, allowed } => json!({
            "step": step, "subscription": terms.subscription, "subscription_status": terms.status,
            "collection_paused": terms.collection_paused, "cancel_at": terms.cancel_at, "allowed": allowed,
        }),
        Refusal::ChangeUnpaid { invoice, state } => json!({ "invoice": invoice, "invoice_state": state }),
        Refusal::PreviewExpired { oldest } => json!({ "path": "$.proration_date", "oldest": oldest }),
        Refusal::AccountNotFound
        | Refusal::AccountClosed
        | Refusal::AccountAlreadyOpen
        | Refusal::CustomerTaken
        | Refusal::BillingOff
        | Refusal::HoldNotFound
        | Refusal::NothingOwed
        | Refusal::PackNotRefundable
        | Refusal::PaymentDisputed
        | Refusal::NoCustomer
        | Refusal::NoSubscription
        | Refusal::SubscriptionNotFound
        | Refusal::NothingToChange { held: None } => json!({}),
        Refusal::NothingToChange { held: Some(held) } => json!({ "at_stripe": held }),
    })
}

/// A sentence about this failure, for people.
#[must_use]
pub fn detail(failure: &Failure) -> String {
    match failure {
        Failure::Invalid { place, expected } => format!("{}: {expected}", place.path),
        Failure::InvalidJson(message) => message.clone(),
        Failure::Execute(ExecuteError::Refused(refusal)) => detail_of_refusal(refusal),
        Failure::Execute(ExecuteError::ClockBehind { behind_s }) => {
            format!("The clock is {behind_s} s behind what is recorded.")
        }
        Failure::BodyTooLarge { bytes_max } => format!("A body has at most {bytes_max} bytes here."),
        Failure::RateLimited { wait_s } => format!("The next request is possible in {wait_s} s."),
        Failure::NotAtStripe(ResourceKind::PreferredMethod) => {
            "No payment method is preferred: name one, or prefer one by PUT …/payment-methods/{id}/default."
                .to_owned()
        }
        Failure::TooManyCheckouts { wait_s } => format!("The next one is possible in {wait_s} s."),
        Failure::Stripe(Rejection { code: Some(code), .. }) => format!("Stripe says `{code}`."),
        Failure::PersonNotAsked(_) => "The bank wants to know that it is the person.".to_owned(),
        Failure::WebhookSignature(error) => sentence(error),
        Failure::WebhookUnparsable(error) => sentence(error),
        Failure::InboxEventState(state) => format!("It is `{}`.", state.as_str()),
        Failure::PositionTimeout { reached } => format!("It is at {reached}."),
        Failure::Execute(
            ExecuteError::KeyReused
            | ExecuteError::Overloaded
            | ExecuteError::Unavailable
            | ExecuteError::OutcomeUnknown
            | ExecuteError::Damaged,
        )
        | Failure::Unauthenticated
        | Failure::KeyUnknown
        | Failure::KeyExpired
        | Failure::KeysBusy
        | Failure::ScopeMissing(_)
        | Failure::AccountNotAllowed
        | Failure::BillingOff
        | Failure::BillingNotConfigured
        | Failure::Stripe(Rejection { code: None, .. })
        | Failure::NotAtStripe(ResourceKind::Payment | ResourceKind::PaymentMethod)
        | Failure::ProductNotFound
        | Failure::NameTaken
        | Failure::PaymentMethodTaken
        | Failure::StripeUnavailable
        | Failure::StripeOutcomeUnknown
        | Failure::StripeOutcomeLost
        | Failure::IdempotencyKeyMissing
        | Failure::BodyTimeout
        | Failure::UnsupportedMediaType
        | Failure::RouteNotFound
        | Failure::MethodNotAllowed
        | Failure::DeductionNotFound
        | Failure::ApiKeyNotFound
        | Failure::InboxEventNotFound
        | Failure::AuditBusy
        | Failure::PositionUnknown
        | Failure::InboxEventForgotten
        | Failure::Away(_)
        | Failure::Fault(_) => format!("{}.", failure.code().about().title),
    }
}

/// A sentence about a refusal, with its figures.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one match names every refusal")]
pub fn detail_of_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InsufficientCredits { requested, available, .. } => {
            format!("{requested} credits were asked for, and {available} are available.")
        }
        Refusal::FeatureNotInPlan { plan, .. } => format!("The plan `{plan}` does not include it."),
        Refusal::LimitReached { limit, plan, .. } => {
            format!("The plan `{plan}` allows {} in this window, and {} are used.", limit.max, limit.used)
        }
        Refusal::UnknownOption { option, .. } => format!("There is no option `{option}`."),
        Refusal::UnknownOptionValue { option, .. } => format!("The option `{option}` has no such value."),
        Refusal::HoldAlreadyResolved { outcome } => match outcome {
            HoldOutcome::Committed { amount } => format!("{amount} credits of it were committed."),
            HoldOutcome::Released => "It was released.".to_owned(),
            HoldOutcome::Expired => "It expired.".to_owned(),
        },
        Refusal::CommitExceedsHold { held, requested } => {
            format!("{requested} credits were to be committed, and {held} are held.")
        }
        Refusal::RefundExceedsDeduction { deducted, refunded, requested } => format!(
            "{requested} credits were to be refunded; {deducted} were spent and {refunded} are refunded already."
        ),
        Refusal::DebtSmaller { debt } => format!("The account owes {debt} credits."),
        Refusal::HoldsOpen { held } => format!("{held} credits are held."),
        Refusal::NotForSale(unsold) => not_for_sale(unsold),
        Refusal::SubscriptionActive { plan } => format!("The account is subscribed to `{plan}`."),
        Refusal::SeveralSubscriptions { subscriptions } => {
            format!("The account has {} subscriptions.", subscriptions.len())
        }
        Refusal::SubscriptionState { terms, allowed, .. } if allowed.is_empty() => {
            format!("The subscription {} has ended.", terms.subscription)
        }
        Refusal::SubscriptionState { terms, .. } if terms.status.waits_for_money() => format!(
            "The subscription {} waits for its money. Its open invoice is paid on the page that `GET …/invoices` names \
             (`hosted_invoice_url`), or with another card: then it can be changed.",
            terms.subscription
        ),
        Refusal::SubscriptionState { terms, .. } if terms.cancel_at.is_some() => format!(
            "The subscription {} is about to end. Withdraw the cancellation first: POST …/subscription/cancel/withdraw.",
            terms.subscription
        ),
        Refusal::SubscriptionState { terms, .. }
            if terms.collection_paused || terms.status == SubscriptionStatus::Paused =>
        {
            format!(
                "The subscription {} is paused. Resume it first: POST …/subscription/resume.",
                terms.subscription
            )
        }
        Refusal::SubscriptionState { terms, .. } => format!(
            "The subscription {} {}. `allowed` says what can be done with it.",
            terms.subscription,
            if terms.status == SubscriptionStatus::Trialing { "is in its trial" } else { "goes on" },
        ),
        Refusal::NothingToChange { held: Some(held) } => format!(
            "At Stripe it is {} of `{}` by the {} already. Where the account has less, that is not paid, or its money went \
             back. A change that waits is withdrawn with `change/withdraw`.",
            held.quantity,
            held.plan,
            held.interval.as_str()
        ),
        Refusal::ChangeUnpaid { invoice, state } => format!(
            "The invoice {invoice} of an earlier change is {}, and Stripe would give back money that nobody has paid.",
            state.words()
        ),
        Refusal::PreviewExpired { oldest } => format!("What was shown before {oldest} does not hold now."),
        Refusal::PaymentOutOfBounds { smallest, largest, currency } => {
            format!("A payment is {smallest} to {largest} {currency}, in minor units.")
        }
        Refusal::TopUpOutOfBounds { smallest, largest } => {
            format!("{smallest} to {largest} credits are sold at once.")
        }
        Refusal::PaymentState { status } => format!("It is `{status}`."),
        Refusal::CaptureExceedsPayment { capturable, requested } => {
            format!("{requested} were to be captured, and {capturable} are held.")
        }
        Refusal::PartOfPack { price, requested } => {
            format!("A pack costs {price}, and {requested} is no multiple of it.")
        }
        Refusal::RefundExceedsPayment { refundable: 0, .. } => {
            "All of it has gone back already, or is about to.".to_owned()
        }
        Refusal::RefundExceedsPayment { refundable, requested } => {
            format!("{requested} were to be given back, and {refundable} are left.")
        }
        Refusal::AccountNotFound
        | Refusal::AccountClosed
        | Refusal::AccountAlreadyOpen
        | Refusal::CustomerTaken
        | Refusal::BillingOff
        | Refusal::UnknownGenerationType { .. }
        | Refusal::AmountTooLarge
        | Refusal::HoldNotFound
        | Refusal::HoldTooLong { .. }
        | Refusal::GrantAlreadyExists
        | Refusal::GrantHasEnded
        | Refusal::NothingOwed
        | Refusal::UnknownPlan { .. }
        | Refusal::UnknownPack
        | Refusal::NoTrial
        | Refusal::PackNotRefundable
        | Refusal::PaymentDisputed
        | Refusal::NoCustomer
        | Refusal::NoSubscription
        | Refusal::SubscriptionNotFound
        | Refusal::NothingToChange { held: None } => {
            format!("{}.", super::failure::code_of_refusal(refusal).about().title)
        }
    }
}

fn not_for_sale(unsold: &Unsold) -> String {
    match unsold {
        Unsold::NoPrice => {
            "It has no price: whoever is subscribed to nothing has it. Cancel the subscription to come back to it.".to_owned()
        }
        Unsold::Interval { intervals } => {
            let names: Vec<&str> = intervals.iter().map(|interval| interval.as_str()).collect();
            format!("It is sold by the {} alone.", names.join(" and the "))
        }
        Unsold::Retired => "It is not sold any more. Who has it keeps it.".to_owned(),
        Unsold::NoTopUp => "The catalog sells packs, and no free amount of credits.".to_owned(),
        Unsold::NoPriceId { setting: Some(setting) } => format!("The setting {setting} would name its price at Stripe."),
        Unsold::NoPriceId { setting: None } => "The catalog names no price of it at Stripe.".to_owned(),
    }
}

/// When a refused limit allows more again.
#[must_use]
pub const fn resets_at(failure: &Failure) -> Option<Timestamp> {
    if let Failure::Execute(ExecuteError::Refused(Refusal::LimitReached { limit, .. })) = failure {
        return Some(limit.resets_at);
    }
    None
}

/// A window of a limit, as callers see it.
#[must_use]
pub fn window(state: &LimitState) -> Value {
    json!({
        "measure": state.key.measure, "per": state.key.unit, "window": state.key.kind, "max": state.max,
        "used": state.used, "remaining": state.remaining, "resets_at": state.resets_at,
    })
}

/// An error that says nothing that its sender does not know.
fn sentence(error: &dyn std::error::Error) -> String {
    format!("{error}.")
}

const fn part(part: RequestPart) -> &'static str {
    match part {
        RequestPart::Body => "body",
        RequestPart::Address => "path",
        RequestPart::Query => "query",
        RequestPart::Header => "header",
    }
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
