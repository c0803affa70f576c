//! What do the rules refuse, and what is a caller told?
//! Each refusal has one entry, and a new refusal does not compile without one.

use serde_json::json;

use crate::{
    domain::{
        credits::HoldOutcome,
        refusal::Refusal,
        subscription::{SubscriptionState as Terms, SubscriptionStatus},
        subscription_change::PlanSelection,
        unsold::Unsold,
    },
    http::{
        limits::LimitWindowResponse,
        schema::{Count, Id, OrderSchema, Time},
    },
};

use super::{ClockBehind, RetryAfter, explain};

explain! {
    Refusal;

    Self::AccountNotFound => AccountNotFound = NOT_FOUND, "account_not_found", "There is no such account",
        "Open it with PUT /v1/accounts/{account}.";
    Self::AccountClosed => AccountClosed = CONFLICT, "account_closed", "The account is closed",
        "Nothing can be spent from or granted to a closed account. Use another one.";
    Self::InsufficientCredits { requested, available, held, debt, next_credits_at, upgrade } =>
        InsufficientCredits = PAYMENT_REQUIRED, "insufficient_credits", "Not enough credits",
        "Ask for no more than `available`, or let the customer buy credits or upgrade. The same request with the \
         same key can succeed afterwards.",
        says format!("{requested} credits were asked for, and {available} are available."),
        advises (!debt.is_zero()).then_some(
            "The account owes `debt`, which new credits pay first. Let the customer buy `requested` and `debt` together, \
             or upgrade. The same request with the same key can succeed afterwards.",
        ),
        with {
            requested: Count = requested,
            available: Count = available,
            held: Count = held,
            debt: Count = debt,
            /// When the next credits are due. `null`: none are.
            #[schema(required)]
            next_credits_at: Option<Time> = next_credits_at,
            /// The smallest plan above the account's whose credits of a month are enough for `requested` and `debt`, or
            /// else the largest.
            /// `null`: no larger plan gives more.
            #[schema(required)]
            upgrade: Option<Id> = upgrade,
        };
    Self::FeatureNotInPlan { missing, plan, plans } =>
        FeatureNotInPlan = FORBIDDEN, "feature_not_in_plan", "The plan does not include this",
        "Each of `plans` includes it.",
        says format!("The plan `{plan}` does not include it."),
        with {
            /// The required features that the plan lacks.
            missing: Vec<Id> = missing,
            plan: Id = plan,
            /// The plans that have all of them, smallest first.
            plans: Vec<Id> = plans,
        };
    Self::LimitReached { limit, requested, windows, plan, plans } =>
        LimitReached = TOO_MANY_REQUESTS, "limit_reached", "A limit of the plan is reached",
        "Wait until `resets_at`, or change to one of `plans`.",
        says format!("The plan `{plan}` allows {} in this window, and {} are used.", limit.max, limit.used),
        after RetryAfter::Until(limit.resets_at),
        with {
            requested: Count = requested,
            limit: LimitWindowResponse = LimitWindowResponse::from(limit.clone()),
            resets_at: Time = limit.resets_at,
            /// All limits of the plan.
            windows: Vec<LimitWindowResponse> =
                windows.into_iter().map(LimitWindowResponse::from).collect::<Vec<_>>(),
            plan: Id = plan,
            /// The plans that would allow it, smallest first.
            plans: Vec<Id> = plans,
        };
    Self::UnknownGenerationType { known } => UnknownGenerationType = UNPROCESSABLE_ENTITY,
        "unknown_generation_type", "There is no such generation type",
        "Use one of `known`.",
        with { path: String = "$.type", known: Vec<Id> = known, };
    Self::UnknownOption { option, known } =>
        UnknownOption = UNPROCESSABLE_ENTITY, "unknown_option", "The generation has no such option",
        "Use one of `known`.",
        says format!("There is no option `{option}`."),
        with { path: String = format!("$.options.{option}"), option: String = option, known: Vec<String> = known, };
    Self::UnknownOptionValue { option, known } =>
        UnknownOptionValue = UNPROCESSABLE_ENTITY, "unknown_option_value", "The option has no such value",
        "Use one of `known`.",
        says format!("The option `{option}` has no such value."),
        with { path: String = format!("$.options.{option}"), option: String = option, known: Vec<String> = known, };
    Self::AmountTooLarge =>
        AmountTooLarge = UNPROCESSABLE_ENTITY, "amount_too_large", "A sum would be too large",
        "An account holds at most 9223372036854775807 credits.",
        with { path: String = "$.amount", };
    Self::CustomerTaken => CustomerTaken = CONFLICT, "customer_taken", "The customer is linked to another account",
        "Nothing was changed. A customer cannot be moved between accounts: find its account, or leave the customer out.";
    Self::AccountAlreadyOpen => AccountAlreadyOpen = CONFLICT,
        "account_already_open", "The account exists already, and differs from the import",
        "An account can only be imported when it opens. Grant or adjust what is missing.";
    Self::HoldNotFound => HoldNotFound = NOT_FOUND, "hold_not_found", "There is no such hold",
        "Check the id. An account remembers its last 256 holds that have ended.";
    Self::HoldAlreadyResolved { outcome } =>
        HoldAlreadyResolved = CONFLICT, "hold_already_resolved", "The hold has ended already",
        "`outcome` says how. Make a new hold for new work.",
        says ending(&outcome),
        written outcome, as {
            /// `committed`, `released` or `expired`
            outcome: String,
            /// How many credits were committed.
            amount: Option<Count>,
        };
    Self::HoldTooLong { expires_in_s_max } =>
        HoldTooLong = UNPROCESSABLE_ENTITY, "hold_too_long", "The end of the hold is not allowed",
        "Use at most `expires_in_s_max` seconds from when the hold was made, and at least one.",
        with { path: String = "$.expires_in_s", expires_in_s_max: i64 = expires_in_s_max, };
    Self::CommitExceedsHold { held, requested } =>
        CommitExceedsHold = CONFLICT, "commit_exceeds_hold", "The amount exceeds the hold",
        "Commit at most `held`, or say with `excess` whether to `cap` the amount or to `take` the difference.",
        says format!("{requested} credits were to be committed, but only {held} are held."),
        with { held: Count = held, requested: Count = requested, };
    Self::AmountExceedsHold { left, requested } =>
        AmountExceedsHold = CONFLICT, "amount_exceeds_hold", "The amount exceeds what is left of the hold",
        "Ask for at most `left`, or top the hold up first: POST /v1/accounts/{account}/holds/{hold}/top-up.",
        says format!("{requested} credits were asked for, but only {left} are left of the hold."),
        with { left: Count = left, requested: Count = requested, };
    Self::TooManyDeductions { deductions_max } =>
        TooManyDeductions = CONFLICT, "too_many_deductions", "The generation has too many deductions for one refund",
        "Refund each by its `deduction_id`: GET /v1/accounts/{account}/events has them.",
        says format!("One refund includes at most {deductions_max} deductions, and the generation has more."),
        with { deductions_max: usize = deductions_max, };
    Self::RefundExceedsDeduction { deducted, refunded, requested } => RefundExceedsDeduction = CONFLICT,
        "refund_exceeds_deduction", "The amount exceeds what was spent",
        "Refund at most `deducted` less `refunded`.",
        says format!(
            "{requested} credits were to be refunded, but {deducted} were spent, of which {refunded} are refunded already."
        ),
        with { deducted: Count = deducted, refunded: Count = refunded, requested: Count = requested, };
    Self::TooManyRefunds { deduction, refunds_max } =>
        TooManyRefunds = CONFLICT, "too_many_refunds", "The deduction has too many refunds",
        "Refund all of the rest of it: by its `deduction_id`, without an `amount`.",
        says format!("`{deduction}` has {refunds_max} refunds, and can only be refunded as a whole now."),
        with { deduction_id: Id = deduction, refunds_max: usize = refunds_max, };
    Self::RefundsOutdated =>
        RefundsOutdated = SERVICE_UNAVAILABLE, "refunds_outdated", "Too much is refunded at the same moment",
        "Nothing was changed. Repeat the request with the same key after `Retry-After` seconds.";
    Self::GrantAlreadyExists =>
        GrantAlreadyExists = CONFLICT, "grant_already_exists", "The grant exists already",
        "Use another `grant_id`, or none.",
        with { path: String = "$.grant_id", };
    Self::GrantHasEnded =>
        GrantHasEnded = UNPROCESSABLE_ENTITY, "grant_has_ended", "The grant would have ended already",
        "`expires_at` must be after `starts_at` and after now.",
        with { path: String = "$.expires_at", };
    Self::NothingOwed => NothingOwed = CONFLICT, "nothing_owed", "The account owes nothing",
        "There is nothing to do.";
    Self::DebtSmaller { debt } => DebtSmaller = CONFLICT, "debt_smaller", "The account owes less than that",
        "Forgive at most `debt`, or leave `amount` out to forgive all.",
        says format!("The account owes {debt} credits."),
        with { debt: Count = debt, };
    Self::HoldsOpen { held } => HoldsOpen = CONFLICT, "holds_open", "Credits are held",
        "Commit or release the account's holds first.",
        says format!("{held} credits are held."),
        with { held: Count = held, };
    Self::UnknownPlan { plan } => UnknownPlan = UNPROCESSABLE_ENTITY, "unknown_plan", "There is no such plan",
        "GET /v1/catalog lists the plans.",
        with { plan: Id = plan, };
    Self::UnknownPack => UnknownPack = UNPROCESSABLE_ENTITY, "unknown_pack", "There is no such pack",
        "GET /v1/catalog lists the packs.",
        with { path: String = "$.pack", };
    Self::BillingOff =>
        BillingOffForAccount = FORBIDDEN, "billing_off_for_account", "Billing is off for this account",
        "Nothing was changed. GET /v1/accounts/{account} says in `billing` whether an account can buy. What it has goes \
         on: credits can be spent, and subscriptions changed to less or cancelled.";
    Self::NotForSale(unsold) => NotForSale = CONFLICT, "not_for_sale", "It is not for sale",
        "Choose something else from GET /v1/catalog. `reason` says why: `no_price`, `interval`, `retired`, \
         `no_top_up`, or `no_price_id`: then the operator has to set `setting` to the id of its price.",
        says reason(&unsold),
        written unsold, as {
            /// `no_price`, `interval`, `retired`, `no_top_up` or `no_price_id`
            reason: String,
            /// The intervals by which it is sold: `month` or `year`.
            intervals: Option<Vec<String>>,
            /// The setting that would have the id of its price at Stripe.
            setting: Option<String>,
        };
    Self::SubscriptionActive { plan } =>
        SubscriptionActive = CONFLICT, "subscription_active", "There is a subscription already",
        "Change it: POST /v1/accounts/{account}/subscription/change. If it is not paid, pay its invoice or cancel it \
         first.",
        says format!("The account is subscribed to `{plan}`."),
        with { plan: Id = plan, };
    Self::NoTrial => NoTrial = CONFLICT, "no_trial", "No trial is possible",
        "Leave `trial` out. An account has one trial, of a plan whose catalog entry has one, such as \
         `trial = { days = 14 }`.",
        with { path: String = "$.trial", };
    Self::PaymentOutOfBounds { smallest, largest, currency } => PaymentOutOfBounds = UNPROCESSABLE_ENTITY,
        "payment_out_of_bounds", "The amount cannot be paid",
        "The amount, or the price of all packs together, must be from `smallest` to `largest`, in minor units.",
        says format!("A payment must be from {smallest} to {largest} {currency}, in minor units."),
        with { smallest: i64 = smallest, largest: i64 = largest, currency: String = currency, };
    Self::PaymentState { status } =>
        PaymentState = CONFLICT, "payment_state", "That cannot be done with this payment now",
        "`payment_status` says what state it is in.",
        says format!("It is `{status}`."),
        with { payment_status: String = status, };
    Self::CaptureExceedsPayment { capturable, requested } => CaptureExceedsPayment = CONFLICT,
        "capture_exceeds_payment", "The amount exceeds what is authorised",
        "Capture at most `capturable`, or leave `amount` out to capture all.",
        says format!("{requested} were to be captured, but only {capturable} are authorised, in minor units."),
        with { capturable: i64 = capturable, requested: i64 = requested, };
    Self::TopUpOutOfBounds { smallest, largest } => TopUpOutOfBounds = UNPROCESSABLE_ENTITY,
        "top_up_out_of_bounds", "This number of credits is not sold",
        "Buy `smallest` to `largest` credits at once.",
        says format!("From {smallest} to {largest} credits can be bought at once."),
        with { path: String = "$.credits", smallest: Count = smallest, largest: Count = largest, };
    Self::PartOfPack { price, requested } =>
        PartOfPack = UNPROCESSABLE_ENTITY, "part_of_pack", "The amount pays for a part of a pack",
        "Capture a multiple of `price`.",
        says format!("A pack costs {price}, and {requested} is not a multiple of that, in minor units."),
        with { price: i64 = price, requested: i64 = requested, };
    Self::RefundExceedsPayment { refundable, requested } => RefundExceedsPayment = CONFLICT,
        "refund_exceeds_payment", "The amount exceeds what is left to refund",
        "Refund at most `refundable`, or leave `amount` out to refund all that is left.",
        says if refundable == 0 {
            "All of it has been refunded already, or is being refunded.".to_owned()
        } else {
            format!("{requested} were to be refunded, but only {refundable} are left, in minor units.")
        },
        with { refundable: i64 = refundable, requested: i64 = requested, };
    Self::PackNotRefundable =>
        PackNotRefundable = CONFLICT, "pack_not_refundable", "Packs are not refunded",
        "The catalog has `refund_packs = false`.";
    Self::PaymentDisputed => PaymentDisputed = CONFLICT, "payment_disputed", "The payment is disputed",
        "To return the money, accept the dispute at Stripe. A disputed payment cannot be refunded, since the money \
         would be returned twice.";
    Self::NoCustomer => NoCustomer = CONFLICT, "no_customer", "The account has no customer yet",
        "PUT /v1/accounts/{account}/customer makes one, and so does the first checkout; after a customer was \
         deleted, only once Stripe's webhook has arrived.";
    Self::NoSubscription => NoSubscription = CONFLICT, "no_subscription", "The account has no subscription",
        "Begin one with a checkout: POST /v1/accounts/{account}/checkout-sessions.";
    Self::SubscriptionNotFound =>
        SubscriptionNotFound = NOT_FOUND, "subscription_not_found", "The account has no such subscription",
        "GET /v1/accounts/{account}/subscriptions lists them.";
    Self::SeveralSubscriptions { subscriptions } => SeveralSubscriptions = CONFLICT,
        "several_subscriptions", "It is not clear which subscription is meant",
        "Name one of `subscriptions` as `subscription`.",
        says format!("The account has {} subscriptions.", subscriptions.len()),
        with {
            /// The request has to name one of these.
            subscriptions: Vec<Id> = subscriptions,
        };
    Self::SubscriptionState { step, terms, allowed } =>
        SubscriptionState = CONFLICT, "subscription_state", "The subscription's state does not allow this",
        "`subscription_status`, `collection_paused` and `cancel_at` say what state it is in, and `allowed` what \
         can be done now.",
        says if allowed.is_empty() { has_ended(&terms) } else { stands(&terms) },
        with {
            /// The requested action: `change`, `cancel`, `withdraw_cancellation`, `pause` or `resume`.
            step: String = step,
            subscription: Id = terms.subscription,
            subscription_status: String = terms.status,
            collection_paused: bool = terms.collection_paused,
            #[schema(required)]
            cancel_at: Option<Time> = terms.cancel_at,
            /// The actions that are possible now.
            allowed: Vec<String> = allowed,
        };
    Self::ChangeUnpaid { invoice, state } => ChangeUnpaid = CONFLICT, "change_unpaid", "An earlier change is not paid",
        "If `invoice_state` is `open`, `failed` or `uncollectible`, let the customer pay `invoice` on the page that \
         GET /v1/accounts/{account}/invoices names; if it is `open`, the money may also be on its way. A `void` \
         invoice cannot be paid: request a change that waits for the end of the period, or cancel.",
        says format!(
            "The invoice {invoice} of an earlier change is {}, so another change would give back money that was not paid.",
            state.words()
        ),
        with {
            invoice: Id = invoice,
            /// `open`, `failed`, `uncollectible` or `void`
            invoice_state: String = state,
        };
    Self::NothingToChange { held } => NothingToChange = CONFLICT, "nothing_to_change", "Nothing would change",
        "There is nothing to do.",
        says held.as_ref().map(unpaid),
        written held.map_or_else(|| json!({}), |held| json!({ "at_stripe": held })), as {
            /// What Stripe has, if the account has something else.
            at_stripe: Option<OrderSchema>,
        };
    Self::PreviewExpired { oldest } =>
        PreviewExpired = CONFLICT, "preview_expired", "The preview has expired",
        "Request a new preview, show it, and send its `proration_date`.",
        says format!("A `proration_date` before {oldest} is too old."),
        with { path: String = "$.proration_date", oldest: Time = oldest, };
}

/// The refusals of every deduction and every hold.
pub type Spending = (InsufficientCredits, LimitReached, ClockBehind);

fn ending(outcome: &HoldOutcome) -> String {
    match outcome {
        HoldOutcome::Committed { amount } => format!("{amount} credits of it were committed."),
        HoldOutcome::Released => "It was released.".to_owned(),
        HoldOutcome::Expired => "It expired.".to_owned(),
    }
}

fn has_ended(terms: &Terms) -> String {
    format!("The subscription {} has ended.", terms.subscription)
}

/// The state of a subscription that has not ended, and what to do about it.
fn stands(terms: &Terms) -> String {
    let subscription = &terms.subscription;
    if terms.status.waits_for_money() {
        return format!(
            "The subscription {subscription} is not paid. Pay its open invoice on the page that `GET …/invoices` names \
             (`hosted_invoice_url`), or with another card: then it can be changed."
        );
    }
    if terms.cancel_at.is_some() {
        return format!(
            "The subscription {subscription} is about to end. Withdraw the cancellation first: \
             POST …/subscription/cancel/withdraw."
        );
    }
    if terms.collection_paused || terms.status == SubscriptionStatus::Paused {
        return format!(
            "The subscription {subscription} is paused. Resume it first: POST …/subscription/resume."
        );
    }
    let state = if terms.status == SubscriptionStatus::Trialing { "is in its trial" } else { "goes on" };
    format!("The subscription {subscription} {state}. `allowed` says what can be done with it.")
}

fn unpaid(held: &PlanSelection) -> String {
    format!(
        "At Stripe it is already {} of `{}` by the {}. If the account has less, that is not paid, or was refunded. A \
         change that waits can be withdrawn with `change/withdraw`.",
        held.quantity,
        held.plan,
        held.interval.as_str()
    )
}

fn reason(unsold: &Unsold) -> String {
    match unsold {
        Unsold::NoPrice => {
            "It has no price: it is the plan without a subscription. Cancel the subscription to return \
                            to it."
                .to_owned()
        }
        Unsold::Interval { intervals } => {
            let names: Vec<&str> = intervals.iter().map(|interval| interval.as_str()).collect();
            format!("It is only sold by the {}.", names.join(" and the "))
        }
        Unsold::Retired => "It is no longer sold. Accounts that have it keep it.".to_owned(),
        Unsold::NoTopUp => "The catalog sells packs, and no other numbers of credits.".to_owned(),
        Unsold::NoPriceId { setting: Some(setting) } => {
            format!("Its price has no id: the setting {setting} is empty.")
        }
        Unsold::NoPriceId { setting: None } => {
            "Its price has no id: the catalog names no setting for it.".to_owned()
        }
    }
}
