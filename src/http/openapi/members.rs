//! What does a problem say beyond what every problem says? One line for each code, by its name.
//!
//! `src/http/members.rs` writes these; the tests hold every problem that they get against what is said here.

use utoipa::{
    ToSchema,
    openapi::{
        AllOfBuilder, ObjectBuilder, Ref, RefOr, Schema,
        schema::{Object, Type},
    },
};

use crate::auth::keys::KeyScope;
use crate::http::{
    code::Code,
    reads::plan::LimitWindowResponse,
    schema::{Count, Id, OrderSchema, Place, Time},
};

use super::problems::PROBLEM;

/// The members of a code.
struct CodeMembers {
    object: Object,
    /// The schemas that they refer to.
    others: Vec<(String, RefOr<Schema>)>,
}

impl CodeMembers {
    fn of<T: ToSchema>() -> Self {
        let mut others = Vec::new();
        T::schemas(&mut others);
        let object = match T::schema() {
            RefOr::T(Schema::Object(object)) => object,
            // Below are structs with fields, and nothing else.
            RefOr::T(_) | RefOr::Ref(_) => Object::new(),
        };
        Self { object, others }
    }
}

macro_rules! members {
    (
        none: $($plain:ident)+;
        $($code:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)+ })+
    ) => {
        /// Only their descriptions are used.
        mod described {
            use super::*;

            $(
                #[derive(ToSchema)]
                #[expect(dead_code, reason = "only its description is used")]
                pub struct $code { $($(#[$about])* $field: $kind,)+ }
            )+
        }

        /// Every code by name: a new one does not compile until its members are said.
        fn find(code: Code) -> Option<CodeMembers> {
            match code {
                $(Code::$code => Some(CodeMembers::of::<described::$code>()),)+
                $(Code::$plain)|+ => None,
            }
        }
    };
}

members! {
    none:
        AccountNotFound AccountClosed AccountAlreadyOpen CustomerTaken HoldNotFound NothingOwed PackNotRefundable PaymentDisputed NoCustomer
        NoSubscription SubscriptionNotFound BillingOff BillingOffForAccount BillingNotConfigured TooManyCheckouts ProductNotFound
        NameTaken PaymentNotFound PaymentMethodNotFound PaymentMethodTaken StripeUnavailable StripeOutcomeUnknown
        StripeOutcomeLost IdempotencyKeyReused Overloaded Unavailable OutcomeUnknown AccountDamaged Internal
        Unauthenticated ApiKeyInvalid ApiKeyExpired AccountNotAllowed RateLimited BodyTimeout UnsupportedMediaType
        RouteNotFound MethodNotAllowed DeductionNotFound ApiKeyNotFound WebhookSignatureInvalid WebhookUnparsable
        InboxEventNotFound InboxEventForgotten AuditBusy PositionUnknown;

    ClockBehind {
        /// So many seconds.
        behind_s: Count,
    }
    InsufficientCredits {
        requested: Count,
        available: Count,
        held: Count,
        debt: Count,
        /// When more credits are due by themselves. `null`: none are.
        #[schema(required)]
        next_credits_at: Option<Time>,
        /// The first plan above the account's that gives as much in a month, or else the one above it that gives
        /// most. `null`: there is none above it that gives more.
        #[schema(required)]
        upgrade: Option<Id>,
    }
    FeatureNotInPlan {
        /// The features that it would need.
        missing: Vec<Id>,
        plan: Id,
        /// The plans that have all of them, the smallest first.
        plans: Vec<Id>,
    }
    LimitReached {
        requested: Count,
        limit: LimitWindowResponse,
        resets_at: Time,
        /// Every limit of the plan.
        windows: Vec<LimitWindowResponse>,
        plan: Id,
        /// The plans that would allow it, the smallest first.
        plans: Vec<Id>,
    }
    UnknownGenerationType {
        path: String,
        known: Vec<Id>,
    }
    UnknownOption {
        path: String,
        option: String,
        known: Vec<String>,
    }
    UnknownOptionValue {
        path: String,
        option: String,
        known: Vec<String>,
    }
    AmountTooLarge {
        path: String,
    }
    HoldAlreadyResolved {
        /// `committed`, `released` or `expired`
        outcome: String,
        /// What was committed.
        amount: Option<Count>,
    }
    HoldTooLong {
        path: String,
        expires_in_s_max: i64,
    }
    CommitExceedsHold {
        held: Count,
        requested: Count,
    }
    RefundExceedsDeduction {
        deducted: Count,
        refunded: Count,
        requested: Count,
    }
    GrantAlreadyExists {
        path: String,
    }
    GrantHasEnded {
        path: String,
    }
    DebtSmaller {
        debt: Count,
    }
    HoldsOpen {
        held: Count,
    }
    UnknownPlan {
        plan: Id,
    }
    UnknownPack {
        path: String,
    }
    NotForSale {
        /// `no_price`, `interval`, `retired`, `no_top_up` or `no_price_id`
        reason: String,
        /// By which it is sold: `month` or `year`.
        intervals: Option<Vec<String>>,
        /// The setting that would name its price at Stripe.
        setting: Option<String>,
    }
    SubscriptionActive {
        plan: Id,
    }
    NoTrial {
        path: String,
    }
    PaymentOutOfBounds {
        smallest: i64,
        largest: i64,
        currency: String,
    }
    PaymentState {
        payment_status: String,
    }
    CaptureExceedsPayment {
        capturable: i64,
        requested: i64,
    }
    TopUpOutOfBounds {
        path: String,
        smallest: Count,
        largest: Count,
    }
    PartOfPack {
        price: i64,
        requested: i64,
    }
    RefundExceedsPayment {
        refundable: i64,
        requested: i64,
    }
    SeveralSubscriptions {
        /// One of these has to be named.
        subscriptions: Vec<Id>,
    }
    SubscriptionState {
        /// What was asked for: `change`, `cancel`, `withdraw_cancellation`, `pause` or `resume`.
        step: String,
        subscription: Id,
        subscription_status: String,
        collection_paused: bool,
        #[schema(required)]
        cancel_at: Option<Time>,
        /// What can be asked for, in the same words.
        allowed: Vec<String>,
    }
    ChangeUnpaid {
        invoice: Id,
        /// `open`, `failed`, `uncollectible` or `void`
        invoice_state: String,
    }
    NothingToChange {
        /// What Stripe has, where that is not what the account has.
        at_stripe: Option<OrderSchema>,
    }
    PreviewExpired {
        path: String,
        oldest: Time,
    }
    StripeRejected {
        #[schema(required)]
        stripe_code: Option<String>,
        #[schema(required)]
        decline_code: Option<String>,
        /// The parameter of Stripe's that it is about.
        #[schema(required)]
        stripe_parameter: Option<String>,
    }
    StripeDeclined {
        #[schema(required)]
        stripe_code: Option<String>,
        /// Why a bank said no, in Stripe's words. Not for people: of a stolen card they are told no more than of any
        /// other.
        #[schema(required)]
        decline_code: Option<String>,
        #[schema(required)]
        stripe_parameter: Option<String>,
        /// What the person can do: `another_method`, `correct_details`, `call_bank`, `authenticate`, `try_again` or
        /// `try_later`. `advice` says it in a sentence.
        next_step: Option<String>,
        /// With which the browser lets the person authenticate.
        client_secret: Option<String>,
    }
    ScopeMissing {
        /// A key needs one of these.
        scopes: Vec<KeyScope>,
    }
    IdempotencyKeyMissing {
        path: String,
        /// `header`
        r#in: String,
    }
    InvalidJson {
        path: String,
        /// `body`
        r#in: String,
    }
    InvalidParameter {
        /// Its name.
        path: String,
        /// `path`, `query` or `header`
        r#in: String,
    }
    InvalidRequest {
        /// A JSON path, such as `$.amount`.
        path: String,
        /// `body`
        r#in: String,
    }
    BodyTooLarge {
        bytes_max: u64,
    }
    InboxEventState {
        state: String,
    }
    PositionTimeout {
        as_of_position: Place,
    }
}

/// The name of its schema: its own, where it has members.
pub fn name_of(code: Code) -> String {
    if find(code).is_some() { format!("{code:?}{PROBLEM}") } else { PROBLEM.to_owned() }
}

/// The schema of each code that has members, and what they refer to.
pub fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = Vec::new();
    for code in Code::ALL {
        if let Some(CodeMembers { object, others }) = find(*code) {
            schemas.extend(others);
            schemas.push((name_of(*code), schema(*code, object).into()));
        }
    }
    schemas
}

fn schema(code: Code, members: Object) -> Schema {
    let about = code.about();
    let only = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([about.code])).build();
    let mut members = members;
    members.required.insert(0, "code".to_owned());
    members.properties.insert("code".to_owned(), only.into());
    let all = AllOfBuilder::new().item(Ref::from_schema_name(PROBLEM)).item(members);
    all.description(Some(format!("{}.", about.title))).build().into()
}
