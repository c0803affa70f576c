//! Which problems can a call to Stripe have?

use serde_json::{Value, json};

use crate::{
    ledger::ExecuteError,
    stripe::{
        client::{Rejection, declines::Remedy, is_missing},
        outbound::{BillingError, ResourceKind},
    },
};

use super::{Explanation, Fault, Problem, RequestError, RetryAfter, explain};

explain! {
    BillingError, also {
        Self::Refused(refusal) => refusal.explain(),
        Self::KeyReused => ExecuteError::KeyReused.explain(),
        Self::Execute(error) => error.explain(),
        Self::CursorUnknown => RequestError::query("cursor", "it is not a `next_cursor` of an earlier page").explain(),
        Self::Unauthenticated(declined) => Explanation::of(StripeDeclined::CODE)
            .says("The bank requires the person to authenticate.".to_owned())
            .advising(declined.rejection.remedy().map(Remedy::advice))
            .written(&members(&declined.rejection))
            .with("client_secret", &declined.client_secret),
        Self::NotFound(ResourceKind::PreferredMethod) => Explanation::of(PaymentMethodNotFound::CODE).says(
            "The account has no default payment method: send `payment_method`, or set a default with PUT …/payment-methods/{id}/default."
                .to_owned(),
        ),
        Self::View(error) => Fault::of(error).explain(),
        Self::Storage(error) => Fault::of(error).explain(),
        Self::Unreadable(error) => Fault::of(error).explain(),
    };

    Self::Off => BillingOff = SERVICE_UNAVAILABLE, "billing_off", "Billing is switched off",
        "Nothing was changed. Credits can still be spent. The operator knows when billing will be on again.";
    Self::NotConfigured =>
        BillingNotConfigured = SERVICE_UNAVAILABLE, "billing_not_configured", "Stripe is not configured",
        "Nothing was changed. The operator has to set STRIPE_SECRET_KEY to a key that Stripe accepts.";
    Self::TooMany { wait_s } => TooManyCheckouts = TOO_MANY_REQUESTS,
        "too_many_checkouts", "Too many purchases or changes of this account at once",
        "Use the page that is open, or wait for `Retry-After` seconds and repeat it with the same key.",
        says format!("The next one is possible in {wait_s} s."),
        after RetryAfter::Seconds(wait_s);
    Self::Rejected(rejection) if !rejection.declined =>
        StripeRejected = BAD_GATEWAY, "stripe_rejected", "Stripe does not accept the request",
        "Nothing was changed. `stripe_code` says why. Correct the request, and send it with a new key.",
        says says(&rejection),
        advises lacks_object(&rejection).then_some(
            "Nothing was changed. Stripe does not have the object that `stripe_parameter` names, or it is another \
             customer's: it was made in another account or mode of Stripe, or deleted there. A sandbox forgets \
             everything when it restarts. Once that is put right, send the request with a new key.",
        ),
        written members(&rejection), as {
            #[schema(required)]
            stripe_code: Option<String>,
            #[schema(required)]
            decline_code: Option<String>,
            /// The parameter of Stripe's API that the error is about.
            #[schema(required)]
            stripe_parameter: Option<String>,
        };
    Self::Rejected(rejection) => StripeDeclined = PAYMENT_REQUIRED, "stripe_declined", "The payment was declined",
        "Nothing was charged. `next_step` says what the person can do. Then send the request with a new key.",
        says says(&rejection),
        advises rejection.remedy().map(Remedy::advice),
        written members(&rejection), as {
        #[schema(required)]
        stripe_code: Option<String>,
        /// Why the bank declined: Stripe's code.
        /// Not for customers: they should not learn that a card is reported as stolen.
        #[schema(required)]
        decline_code: Option<String>,
        #[schema(required)]
        stripe_parameter: Option<String>,
        /// What the person can do: `another_method`, `correct_details`, `call_bank`, `authenticate`, `try_again` or
        /// `try_later`.
        /// `advice` says it in a sentence.
        next_step: Option<String>,
        /// With this the person can authenticate in the browser.
        client_secret: Option<String>,
        };
    Self::NameTaken => NameTaken = CONFLICT, "name_taken", "Stripe has another object with this id",
        "Nothing was changed. Use another `product` or `lookup_key`, or the object that exists.";
    Self::NotFound(ResourceKind::Payment) =>
        PaymentNotFound = NOT_FOUND, "payment_not_found", "The account has no such payment",
        "GET /v1/accounts/{account}/payments lists them.";
    Self::NotFound(ResourceKind::PaymentMethod) =>
        PaymentMethodNotFound = NOT_FOUND, "payment_method_not_found", "The account has no such payment method",
        "GET /v1/accounts/{account}/payment-methods lists them.";
    Self::MethodTaken =>
        PaymentMethodTaken = CONFLICT, "payment_method_taken", "The payment method belongs to another customer",
        "Nothing was changed. Let the person enter it again, which makes a new one.";
    Self::Unavailable =>
        StripeUnavailable = SERVICE_UNAVAILABLE, "stripe_unavailable", "Stripe does not answer now",
        "Nothing was changed. Repeat the request with the same key after `Retry-After` seconds.";
    Self::OutcomeUnknown =>
        StripeOutcomeUnknown = SERVICE_UNAVAILABLE, "stripe_outcome_unknown", "Whether Stripe did it is not known",
        "It may have happened. Repeat the request, with its key where it has one: it happens once, and you will be \
         told.";
    Self::OutcomeLost => StripeOutcomeLost = BAD_GATEWAY,
        "stripe_outcome_lost", "Whether Stripe did it was not found out in time",
        "It may have happened, and this key is not sent to Stripe again. Look at what Stripe shows, and send what is \
         missing with a new key.";
}

fn says(rejection: &Rejection) -> Option<String> {
    rejection.code.as_ref().map(|code| format!("Stripe says `{code}`."))
}

/// Without a parameter Stripe's code says that the customer has no payment method.
fn lacks_object(rejection: &Rejection) -> bool {
    is_missing(rejection) && rejection.parameter.is_some()
}

/// `next_step` is only present if a bank declined.
fn members(rejection: &Rejection) -> Value {
    let mut members = json!({
        "stripe_code": rejection.code, "decline_code": rejection.decline_code,
        "stripe_parameter": rejection.parameter,
    });
    if let (Some(remedy), Some(members)) = (rejection.remedy(), members.as_object_mut()) {
        members.insert("next_step".to_owned(), json!(remedy.as_str()));
    }
    members
}

/// The problems of every call to Stripe.
pub type AskingStripe = (
    BillingOff,
    BillingNotConfigured,
    StripeRejected,
    StripeDeclined,
    StripeUnavailable,
    StripeOutcomeUnknown,
    StripeOutcomeLost,
);
