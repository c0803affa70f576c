//! Which failures can a caller see? Each has a code that never changes, a status, and advice.

use axum::http::StatusCode;

/// What is told of every failure with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeDescription {
    pub status: StatusCode,
    /// Stable: programs decide on it.
    pub code: &'static str,
    pub title: &'static str,
    /// What the caller can do.
    pub advice: &'static str,
}

macro_rules! codes {
    ($($(#[$documentation:meta])* $name:ident = $status:ident, $code:literal, $title:literal, $advice:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$documentation])* $name,)+
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            #[must_use]
            pub const fn about(self) -> CodeDescription {
                match self {
                    $(Self::$name => CodeDescription {
                        status: StatusCode::$status,
                        code: $code,
                        title: $title,
                        advice: $advice,
                    },)+
                }
            }
        }
    };
}

codes! {
    // What the rules refuse.
    AccountNotFound = NOT_FOUND, "account_not_found", "There is no such account",
        "Open it with PUT /v1/accounts/{account}.";
    AccountClosed = CONFLICT, "account_closed", "The account is closed",
        "Nothing can be spent from or granted to a closed account. Use another one.";
    InsufficientCredits = PAYMENT_REQUIRED, "insufficient_credits", "Not enough credits",
        "Ask for no more than `available`, or let the customer buy credits or upgrade. The same request with the \
         same key can succeed afterwards.";
    FeatureNotInPlan = FORBIDDEN, "feature_not_in_plan", "The plan does not include this",
        "Any of `plans` includes it.";
    LimitReached = TOO_MANY_REQUESTS, "limit_reached", "A limit of the plan is reached",
        "Wait until `resets_at`, or change to one of `plans`.";
    UnknownGenerationType = UNPROCESSABLE_ENTITY, "unknown_generation_type", "There is no such generation type",
        "Use one of `known`.";
    UnknownOption = UNPROCESSABLE_ENTITY, "unknown_option", "The generation has no such option",
        "Use one of `known`.";
    UnknownOptionValue = UNPROCESSABLE_ENTITY, "unknown_option_value", "The option has no such value",
        "Use one of `known`.";
    AmountTooLarge = UNPROCESSABLE_ENTITY, "amount_too_large", "A sum would be too large",
        "An account holds at most 9223372036854775807 credits.";
    CustomerTaken = CONFLICT, "customer_taken", "The customer is another account's",
        "Nothing was changed. A customer is taken over from no other account: look whose it is, and leave it out.";
    AccountAlreadyOpen = CONFLICT, "account_already_open", "The account is open already, and not as it was sent",
        "What was kept elsewhere comes with the opening. Grant or adjust what is missing.";
    HoldNotFound = NOT_FOUND, "hold_not_found", "There is no such hold",
        "Check the id. Of holds that ended, an account remembers the latest 256.";
    HoldAlreadyResolved = CONFLICT, "hold_already_resolved", "The hold has ended already",
        "`outcome` says how. Make a new hold for new work.";
    HoldTooLong = UNPROCESSABLE_ENTITY, "hold_too_long", "A hold cannot live that long",
        "Use at most `expires_in_s_max` seconds from when the hold was made, and at least one.";
    CommitExceedsHold = CONFLICT, "commit_exceeds_hold", "More was to be committed than is held",
        "Commit at most `held`, or say with `excess` whether to `cap` the amount or to `take` the difference.";
    RefundExceedsDeduction = CONFLICT, "refund_exceeds_deduction", "More was to be refunded than was spent",
        "Refund at most `deducted` less `refunded`.";
    GrantAlreadyExists = CONFLICT, "grant_already_exists", "There is such a grant already",
        "Use another `grant_id`, or none.";
    GrantHasEnded = UNPROCESSABLE_ENTITY, "grant_has_ended", "The grant would have ended already",
        "Let `expires_at` come after `starts_at` and after now.";
    NothingOwed = CONFLICT, "nothing_owed", "The account owes nothing",
        "There is nothing to do.";
    DebtSmaller = CONFLICT, "debt_smaller", "The account owes less than that",
        "Forgive at most `debt`, or leave `amount` out to forgive all.";
    HoldsOpen = CONFLICT, "holds_open", "Credits are held",
        "Commit or release the account's holds first.";
    UnknownPlan = UNPROCESSABLE_ENTITY, "unknown_plan", "There is no such plan",
        "GET /v1/catalog lists the plans.";
    UnknownPack = UNPROCESSABLE_ENTITY, "unknown_pack", "There is no such pack",
        "GET /v1/catalog lists the packs.";
    BillingOffForAccount = FORBIDDEN, "billing_off_for_account", "Billing is off for this account",
        "Nothing was changed. Sell it nothing: GET /v1/accounts/{account} says `billing`. What it has goes on, and can be spent, \
         changed to less and cancelled.";
    NotForSale = CONFLICT, "not_for_sale", "It is not for sale",
        "Choose something else of GET /v1/catalog. `reason` says why: `no_price`, `interval`, `retired`, `no_top_up`, or \
         `no_price_id`, where the operator sets `setting` to the id of a price to sell it.";
    SubscriptionActive = CONFLICT, "subscription_active", "There is a subscription already",
        "Change it: POST /v1/accounts/{account}/subscription/change. One that is not paid is paid by its invoice, or \
         cancelled first.";
    NoTrial = CONFLICT, "no_trial", "There is nothing to try",
        "Leave `trial` out. An account tries once, and only a plan that has a `trial` in the catalog: \
         `trial = { days = 14 }` there gives it one.";
    PaymentOutOfBounds = UNPROCESSABLE_ENTITY, "payment_out_of_bounds", "No such amount can be paid",
        "Let the amount, or the price of all packs together, be `smallest` to `largest`, in minor units.";
    PaymentState = CONFLICT, "payment_state", "That cannot be done with this payment now",
        "`payment_status` says how far it has come.";
    CaptureExceedsPayment = CONFLICT, "capture_exceeds_payment", "More was to be captured than is held",
        "Capture at most `capturable`, or leave `amount` out to capture all.";
    TopUpOutOfBounds = UNPROCESSABLE_ENTITY, "top_up_out_of_bounds", "No such number of credits is sold",
        "Buy `smallest` to `largest` credits at once.";
    PartOfPack = UNPROCESSABLE_ENTITY, "part_of_pack", "The amount pays for a part of a pack",
        "Capture a multiple of `price`.";
    RefundExceedsPayment = CONFLICT, "refund_exceeds_payment", "More was to be given back than is left",
        "Refund at most `refundable`, or leave `amount` out to refund all that is left.";
    PackNotRefundable = CONFLICT, "pack_not_refundable", "No money is given back for packs",
        "The operator's catalog says so.";
    PaymentDisputed = CONFLICT, "payment_disputed", "The payment is disputed",
        "Accept the dispute at Stripe to give the money back. What is disputed cannot be refunded, so that nobody gets it \
         twice.";
    NoCustomer = CONFLICT, "no_customer", "The account is no customer yet",
        "PUT /v1/accounts/{account}/customer makes it one, and so does its first checkout; after a customer was deleted, \
         once Stripe's webhook has come.";
    NoSubscription = CONFLICT, "no_subscription", "There is no subscription",
        "Begin one with a checkout: POST /v1/accounts/{account}/checkout-sessions.";
    SubscriptionNotFound = NOT_FOUND, "subscription_not_found", "The account has no such subscription",
        "GET /v1/accounts/{account}/subscriptions lists them.";
    SeveralSubscriptions = CONFLICT, "several_subscriptions", "It is not clear which subscription is meant",
        "Name one of `subscriptions` as `subscription`.";
    SubscriptionState = CONFLICT, "subscription_state", "The subscription is in no state for this",
        "`subscription_status`, `collection_paused` and `cancel_at` say what state it is in, `allowed` what can be done \
         now.";
    ChangeUnpaid = CONFLICT, "change_unpaid", "An earlier change is not paid",
        "While `invoice_state` is `open`, its money may be on its way: wait, or let the customer pay `invoice`, which \
         GET /v1/accounts/{account}/invoices has a page for; so where it is `failed` or `uncollectible`. One that is `void` \
         cannot be paid: change to what is due only when the period ends, or cancel.";
    NothingToChange = CONFLICT, "nothing_to_change", "It is so already",
        "There is nothing to do.";
    PreviewExpired = CONFLICT, "preview_expired", "The price that was shown does not hold any more",
        "Ask for a new preview, show it, and send its `proration_date`, which is not before `oldest`.";

    // What Stripe could not do, or would not.
    BillingOff = SERVICE_UNAVAILABLE, "billing_off", "Billing is switched off",
        "Nothing was changed. What an account holds can be spent as always; the operator says when billing is back.";
    BillingNotConfigured = SERVICE_UNAVAILABLE, "billing_not_configured", "There is no way to Stripe",
        "Nothing was changed. The operator sets STRIPE_SECRET_KEY to a key that Stripe takes.";
    TooManyCheckouts = TOO_MANY_REQUESTS, "too_many_checkouts", "Too many purchases or changes of this account at once",
        "Use the page that is open, or wait for `Retry-After` seconds and repeat it with the same key.";
    StripeRejected = BAD_GATEWAY, "stripe_rejected", "Stripe does not accept the request",
        "Nothing was changed. `stripe_code` says why; correct it, and send it again with a new key.";
    StripeDeclined = PAYMENT_REQUIRED, "stripe_declined", "The payment was declined",
        "Nothing was charged. `next_step` says what the person can do; then ask again, with a new key.";
    ProductNotFound = NOT_FOUND, "product_not_found", "There is no such product",
        "GET /v1/products lists them.";
    NameTaken = CONFLICT, "name_taken", "There is another of that name at Stripe",
        "Nothing was changed. Use another `product` or `lookup_key`, or what is there.";
    PaymentNotFound = NOT_FOUND, "payment_not_found", "The account has no such payment",
        "GET /v1/accounts/{account}/payments lists them.";
    PaymentMethodNotFound = NOT_FOUND, "payment_method_not_found", "The account has no such payment method",
        "GET /v1/accounts/{account}/payment-methods lists them.";
    PaymentMethodTaken = CONFLICT, "payment_method_taken", "The payment method is another customer's",
        "Nothing was changed. Let the person type it in again, which makes a new one.";
    StripeUnavailable = SERVICE_UNAVAILABLE, "stripe_unavailable", "Stripe does not answer now",
        "Nothing was changed. Repeat the request with the same key after `Retry-After` seconds.";
    StripeOutcomeUnknown = SERVICE_UNAVAILABLE, "stripe_outcome_unknown", "Whether Stripe did it is not known",
        "It may have happened. Repeat the request, with its key where it has one: it happens once, and you will be told.";
    StripeOutcomeLost = BAD_GATEWAY, "stripe_outcome_lost", "Whether Stripe did it was not found out in time",
        "It may have happened, and this key will never be asked with again. Look what Stripe shows, and send what is \
         missing with a new key.";

    // What the ledger could not do.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The key, or the generation, was used for another request",
        "Use a new key for a new request, and the same key only to repeat the same request.";
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Too much is waiting",
        "Nothing was changed. Repeat the request with the same key after `Retry-After` seconds.";
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The database does not answer now",
        "Repeat the request with the same key after `Retry-After` seconds: what it asks for happens once.";
    OutcomeUnknown = SERVICE_UNAVAILABLE, "outcome_unknown", "The outcome was not known in time",
        "It may have happened. Repeat the request with the same key: it happens once, and you will be told.";
    ClockBehind = SERVICE_UNAVAILABLE, "clock_behind", "The ledger's clock is behind",
        "Nothing was changed. The clock is `behind_s` seconds before what is recorded, so what has begun since is not seen, and \
         whether this is allowed is not known. Tell the operator to set it; then repeat the request with the same key.";
    AccountDamaged = INTERNAL_SERVER_ERROR, "account_damaged", "The account's history is damaged",
        "Nothing was changed. Tell the operator, who finds the place with `counterfoil audit verify`.";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong here",
        "Repeat the request with the same key. Tell the operator the `request_id` if it happens again.";

    // Who is asking.
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "No API key was sent",
        "Send `Authorization: Bearer cf_…`. `counterfoil keys create` makes a key.";
    ApiKeyInvalid = UNAUTHORIZED, "api_key_invalid", "The API key is not valid",
        "Check that it was copied whole, and that it was not revoked.";
    ApiKeyExpired = UNAUTHORIZED, "api_key_expired", "The API key has expired",
        "Make a new one with `counterfoil keys create`.";
    ScopeMissing = FORBIDDEN, "scope_missing", "The API key may not do this",
        "Use a key that has one of `scopes`.";
    AccountNotAllowed = FORBIDDEN, "account_not_allowed", "The API key may not use this account",
        "Use a key without a list of accounts, or with one that has this account.";
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests",
        "Wait for `Retry-After` seconds.";

    // What was asked.
    IdempotencyKeyMissing = BAD_REQUEST, "idempotency_key_missing", "An Idempotency-Key is needed",
        "Send `Idempotency-Key` with a value that is new for each new request, such as a UUID, and the same when \
         you repeat it.";
    InvalidJson = BAD_REQUEST, "invalid_json", "The body is not JSON",
        "Send one JSON document in UTF-8.";
    InvalidParameter = BAD_REQUEST, "invalid_parameter", "A part of the address or a header is not valid",
        "`path` names it, `detail` says what is expected.";
    InvalidRequest = UNPROCESSABLE_ENTITY, "invalid_request", "A field of the body is not valid",
        "`path` names it, `detail` says what is expected.";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large",
        "Send at most `bytes_max` bytes.";
    BodyTimeout = REQUEST_TIMEOUT, "body_timeout", "The body did not arrive in time",
        "Repeat the request with the same key.";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be JSON",
        "Send `Content-Type: application/json`.";
    RouteNotFound = NOT_FOUND, "route_not_found", "There is nothing at this address",
        "/docs lists what there is.";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take this method",
        "/docs lists what there is.";
    DeductionNotFound = NOT_FOUND, "deduction_not_found", "There is no such deduction",
        "Check the `deduction_id` or `generation_id`. A hold can be refunded once it is committed.";
    ApiKeyNotFound = NOT_FOUND, "api_key_not_found", "There is no such API key",
        "GET /v1/api-keys lists them. The id is not the secret.";
    WebhookSignatureInvalid = BAD_REQUEST, "webhook_signature_invalid", "The delivery is not signed by Stripe",
        "Nothing was stored. Check STRIPE_WEBHOOK_SECRET, and the clocks when `detail` speaks of time.";
    WebhookUnparsable = BAD_REQUEST, "webhook_unparsable", "The delivery is signed, but is not an event",
        "Nothing was stored. Only events of Stripe's belong here.";
    InboxEventNotFound = NOT_FOUND, "inbox_event_not_found", "There is no such delivery",
        "GET /v1/inbox lists what was delivered.";
    InboxEventState = CONFLICT, "inbox_event_state", "That cannot be done with this delivery now",
        "`state` says where it stands.";
    InboxEventForgotten = CONFLICT, "inbox_event_forgotten", "The document of this delivery is not kept any more",
        "`counterfoil stripe reconcile` asks Stripe for what the ledger lacks.";
    AuditBusy = SERVICE_UNAVAILABLE, "audit_busy", "Other audits are running",
        "Ask again after `Retry-After` seconds.";
    PositionUnknown = UNPROCESSABLE_ENTITY, "position_unknown", "The ledger has not reached this position",
        "Send a `position` that this ledger answered.";
    PositionTimeout = SERVICE_UNAVAILABLE, "position_timeout", "The read model has not reached this position yet",
        "Ask again after `Retry-After` seconds, or without `min_position` for what is known up to \
         `as_of_position`.";
}
