//! What do the rules refuse, and what is a caller told of it? One line for each refusal; a new one does not compile
//! until it has its line.

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
        with {
            requested: Count = requested,
            available: Count = available,
            held: Count = held,
            debt: Count = debt,
            /// When more credits are due by themselves. `null`: none are.
            #[schema(required)]
            next_credits_at: Option<Time> = next_credits_at,
            /// The first plan above the account's that gives as much in a month, or else the one above it that gives
            /// most. `null`: there is none above it that gives more.
            #[schema(required)]
            upgrade: Option<Id> = upgrade,
        };
    Self::FeatureNotInPlan { missing, plan, plans } =>
        FeatureNotInPlan = FORBIDDEN, "feature_not_in_plan", "The plan does not include this",
        "Any of `plans` includes it.",
        says format!("The plan `{plan}` does not include it."),
        with {
            /// The features that it would need.
            missing: Vec<Id> = missing,
            plan: Id = plan,
            /// The plans that have all of them, the smallest first.
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
            /// Every limit of the plan.
            windows: Vec<LimitWindowResponse> =
                windows.into_iter().map(LimitWindowResponse::from).collect::<Vec<_>>(),
            plan: Id = plan,
            /// The plans that would allow it, the smallest first.
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
    Self::CustomerTaken => CustomerTaken = CONFLICT, "customer_taken", "The customer is another account's",
        "Nothing was changed. A customer is taken over from no other account: look whose it is, and leave it out.";
    Self::AccountAlreadyOpen => AccountAlreadyOpen = CONFLICT,
        "account_already_open", "The account is open already, and not as it was sent",
        "What was kept elsewhere comes with the opening. Grant or adjust what is missing.";
    Self::HoldNotFound => HoldNotFound = NOT_FOUND, "hold_not_found", "There is no such hold",
        "Check the id. Of holds that ended, an account remembers the latest 256.";
    Self::HoldAlreadyResolved { outcome } =>
        HoldAlreadyResolved = CONFLICT, "hold_already_resolved", "The hold has ended already",
        "`outcome` says how. Make a new hold for new work.",
        says ending(&outcome),
        written outcome, as {
            /// `committed`, `released` or `expired`
            outcome: String,
            /// What was committed.
            amount: Option<Count>,
        };
    Self::HoldTooLong { expires_in_s_max } =>
        HoldTooLong = UNPROCESSABLE_ENTITY, "hold_too_long", "A hold cannot live that long",
        "Use at most `expires_in_s_max` seconds from when the hold was made, and at least one.",
        with { path: String = "$.expires_in_s", expires_in_s_max: i64 = expires_in_s_max, };
    Self::CommitExceedsHold { held, requested } =>
        CommitExceedsHold = CONFLICT, "commit_exceeds_hold", "More was to be committed than is held",
        "Commit at most `held`, or say with `excess` whether to `cap` the amount or to `take` the difference.",
        says format!("{requested} credits were to be committed, and {held} are held."),
        with { held: Count = held, requested: Count = requested, };
    Self::RefundExceedsDeduction { deducted, refunded, requested } => RefundExceedsDeduction = CONFLICT,
        "refund_exceeds_deduction", "More was to be refunded than was spent",
        "Refund at most `deducted` less `refunded`.",
        says format!(
            "{requested} credits were to be refunded; {deducted} were spent and {refunded} are refunded already."
        ),
        with { deducted: Count = deducted, refunded: Count = refunded, requested: Count = requested, };
    Self::GrantAlreadyExists =>
        GrantAlreadyExists = CONFLICT, "grant_already_exists", "There is such a grant already",
        "Use another `grant_id`, or none.",
        with { path: String = "$.grant_id", };
    Self::GrantHasEnded =>
        GrantHasEnded = UNPROCESSABLE_ENTITY, "grant_has_ended", "The grant would have ended already",
        "Let `expires_at` come after `starts_at` and after now.",
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
        "Nothing was changed. Sell it nothing: GET /v1/accounts/{account} says `billing`. What it has goes on, and can \
         be spent, changed to less and cancelled.";
    Self::NotForSale(unsold) => NotForSale = CONFLICT, "not_for_sale", "It is not for sale",
        "Choose something else of GET /v1/catalog. `reason` says why: `no_price`, `interval`, `retired`, `no_top_up`, \
         or `no_price_id`, where the operator sets `setting` to the id of a price to sell it.",
        says reason(&unsold),
        written unsold, as {
            /// `no_price`, `interval`, `retired`, `no_top_up` or `no_price_id`
            reason: String,
            /// By which it is sold: `month` or `year`.
            intervals: Option<Vec<String>>,
            /// The setting that would name its price at Stripe.
            setting: Option<String>,
        };
    Self::SubscriptionActive { plan } =>
        SubscriptionActive = CONFLICT, "subscription_active", "There is a subscription already",
        "Change it: POST /v1/accounts/{account}/subscription/change. One that is not paid is paid by its invoice, or \
         cancelled first.",
        says format!("The account is subscribed to `{plan}`."),
        with { plan: Id = plan, };
    Self::NoTrial => NoTrial = CONFLICT, "no_trial", "There is nothing to try",
        "Leave `trial` out. An account tries once, and only a plan that has a `trial` in the catalog: \
         `trial = { days = 14 }` there gives it one.",
        with { path: String = "$.trial", };
    Self::PaymentOutOfBounds { smallest, largest, currency } => PaymentOutOfBounds = UNPROCESSABLE_ENTITY,
        "payment_out_of_bounds", "No such amount can be paid",
        "Let the amount, or the price of all packs together, be `smallest` to `largest`, in minor units.",
        says format!("A payment is {smallest} to {largest} {currency}, in minor units."),
        with { smallest: i64 = smallest, largest: i64 = largest, currency: String = currency, };
    Self::PaymentState { status } =>
        PaymentState = CONFLICT, "payment_state", "That cannot be done with this payment now",
        "`payment_status` says how far it has come.",
        says format!("It is `{status}`."),
        with { payment_status: String = status, };
    Self::CaptureExceedsPayment { capturable, requested } => CaptureExceedsPayment = CONFLICT,
        "capture_exceeds_payment", "More was to be captured than is held",
        "Capture at most `capturable`, or leave `amount` out to capture all.",
        says format!("{requested} were to be captured, and {capturable} are held."),
        with { capturable: i64 = capturable, requested: i64 = requested, };
    Self::TopUpOutOfBounds { smallest, largest } => TopUpOutOfBounds = UNPROCESSABLE_ENTITY,
        "top_up_out_of_bounds", "No such number of credits is sold",
        "Buy `smallest` to `largest` credits at once.",
        says format!("{smallest} to {largest} credits are sold at once."),
        with { path: String = "$.credits", smallest: Count = smallest, largest: Count = largest, };
    Self::PartOfPack { price, requested } =>
        PartOfPack = UNPROCESSABLE_ENTITY, "part_of_pack", "The amount pays for a part of a pack",
        "Capture a multiple of `price`.",
        says format!("A pack costs {price}, and {requested} is no multiple of it."),
        with { price: i64 = price, requested: i64 = requested, };
    Self::RefundExceedsPayment { refundable, requested } => RefundExceedsPayment = CONFLICT,
        "refund_exceeds_payment", "More was to be given back than is left",
        "Refund at most `refundable`, or leave `amount` out to refund all that is left.",
        says if refundable == 0 {
            "All of it has gone back already, or is about to.".to_owned()
        } else {
            format!("{requested} were to be given back, and {refundable} are left.")
        },
        with { refundable: i64 = refundable, requested: i64 = requested, };
    Self::PackNotRefundable =>
        PackNotRefundable = CONFLICT, "pack_not_refundable", "No money is given back for packs",
        "The operator's catalog says so.";
    Self::PaymentDisputed => PaymentDisputed = CONFLICT, "payment_disputed", "The payment is disputed",
        "Accept the dispute at Stripe to give the money back. What is disputed cannot be refunded, so that nobody gets \
         it twice.";
    Self::NoCustomer => NoCustomer = CONFLICT, "no_customer", "The account is no customer yet",
        "PUT /v1/accounts/{account}/customer makes it one, and so does its first checkout; after a customer was \
         deleted, once Stripe's webhook has come.";
    Self::NoSubscription => NoSubscription = CONFLICT, "no_subscription", "There is no subscription",
        "Begin one with a checkout: POST /v1/accounts/{account}/checkout-sessions.";
    Self::SubscriptionNotFound =>
        SubscriptionNotFound = NOT_FOUND, "subscription_not_found", "The account has no such subscription",
        "GET /v1/accounts/{account}/subscriptions lists them.";
    Self::SeveralSubscriptions { subscriptions } => SeveralSubscriptions = CONFLICT,
        "several_subscriptions", "It is not clear which subscription is meant",
        "Name one of `subscriptions` as `subscription`.",
        says format!("The account has {} subscriptions.", subscriptions.len()),
        with {
            /// One of these has to be named.
            subscriptions: Vec<Id> = subscriptions,
        };
    Self::SubscriptionState { step, terms, allowed } =>
        SubscriptionState = CONFLICT, "subscription_state", "The subscription is in no state for this",
        "`subscription_status`, `collection_paused` and `cancel_at` say what state it is in, `allowed` what can be \
         done now.",
        says if allowed.is_empty() { has_ended(&terms) } else { stands(&terms) },
        with {
            /// What was asked for: `change`, `cancel`, `withdraw_cancellation`, `pause` or `resume`.
            step: String = step,
            subscription: Id = terms.subscription,
            subscription_status: String = terms.status,
            collection_paused: bool = terms.collection_paused,
            #[schema(required)]
            cancel_at: Option<Time> = terms.cancel_at,
            /// What can be asked for, in the same words.
            allowed: Vec<String> = allowed,
        };
    Self::ChangeUnpaid { invoice, state } => ChangeUnpaid = CONFLICT, "change_unpaid", "An earlier change is not paid",
        "While `invoice_state` is `open`, its money may be on its way: wait, or let the customer pay `invoice`, which \
         GET /v1/accounts/{account}/invoices has a page for; so where it is `failed` or `uncollectible`. One that is \
         `void` cannot be paid: change to what is due only when the period ends, or cancel.",
        says format!(
            "The invoice {invoice} of an earlier change is {}, and Stripe would give back money that nobody has paid.",
            state.words()
        ),
        with {
            invoice: Id = invoice,
            /// `open`, `failed`, `uncollectible` or `void`
            invoice_state: String = state,
        };
    Self::NothingToChange { held } => NothingToChange = CONFLICT, "nothing_to_change", "It is so already",
        "There is nothing to do.",
        says held.as_ref().map(unpaid),
        written held.map_or_else(|| json!({}), |held| json!({ "at_stripe": held })), as {
            /// What Stripe has, where that is not what the account has.
            at_stripe: Option<OrderSchema>,
        };
    Self::PreviewExpired { oldest } =>
        PreviewExpired = CONFLICT, "preview_expired", "The price that was shown does not hold any more",
        "Ask for a new preview, show it, and send its `proration_date`, which is not before `oldest`.",
        says format!("What was shown before {oldest} does not hold now."),
        with { path: String = "$.proration_date", oldest: Time = oldest, };
}

/// What every deduction and every hold can be refused for.
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

/// What state a subscription is in that has not ended, and the way out of it.
fn stands(terms: &Terms) -> String {
    let subscription = &terms.subscription;
    if terms.status.waits_for_money() {
        return format!(
            "The subscription {subscription} waits for its money. Its open invoice is paid on the page that \
             `GET …/invoices` names (`hosted_invoice_url`), or with another card: then it can be changed."
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
        "At Stripe it is {} of `{}` by the {} already. Where the account has less, that is not paid, or its money went \
         back. A change that waits is withdrawn with `change/withdraw`.",
        held.quantity,
        held.plan,
        held.interval.as_str()
    )
}

fn reason(unsold: &Unsold) -> String {
    match unsold {
        Unsold::NoPrice => {
            "It has no price: whoever is subscribed to nothing has it. Cancel the subscription to come \
                            back to it."
                .to_owned()
        }
        Unsold::Interval { intervals } => {
            let names: Vec<&str> = intervals.iter().map(|interval| interval.as_str()).collect();
            format!("It is sold by the {} alone.", names.join(" and the "))
        }
        Unsold::Retired => "It is not sold any more. Who has it keeps it.".to_owned(),
        Unsold::NoTopUp => "The catalog sells packs, and no free amount of credits.".to_owned(),
        Unsold::NoPriceId { setting: Some(setting) } => {
            format!("The setting {setting} would name its price at Stripe.")
        }
        Unsold::NoPriceId { setting: None } => "The catalog names no price of it at Stripe.".to_owned(),
    }
}
