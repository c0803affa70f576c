//! What can each operation answer with besides success? One line an operation.

use utoipa::openapi::{
    Ref, RefOr, Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::codes::{
    AT_STRIPE, AUTHENTICATED, COMMAND, FOR_EVERYBODY, JSON, LIMITED, LINKING, OF_CHANGE, OF_CUSTOMER,
    OF_HOLD, OF_METHOD, OF_PORTAL, OF_PREVIEW, OF_RESUMPTION, OF_SUBSCRIPTION, OF_UPCOMING, PRICED,
};
use crate::auth::keys::KeyScope;
use crate::http::{
    code::Code,
    request::{Administers, Audits, Bills, Commands, Deducts, Lists, Need, Operates, Quotes, Reads, Watches},
};

/// Whether an operation is made repeatable by an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    None,
    Required,
    /// Needed where the body has no id of its own.
    OrOwnId,
}

/// What the document says of an operation beyond what its route says.
#[derive(Clone, Copy, Debug)]
pub struct OperationSpec {
    pub id: &'static str,
    /// Empty: everybody may.
    pub scopes: &'static [KeyScope],
    pub key: KeyRule,
    pub reads_position: bool,
    /// Whether it answers from a read model, which may be behind.
    pub waits: bool,
    /// Whether it reads a JSON body.
    pub takes_json: bool,
    /// Whether it is done at Stripe.
    pub asks_stripe: bool,
    /// Besides those that follow from the other fields.
    own: &'static [Code],
}

impl KeyRule {
    pub(super) fn parameter(self) -> Option<Parameter> {
        let (required, description) = match self {
            Self::None => return None,
            Self::Required => (
                Required::True,
                "New for each new request, and the same when it is repeated: a repetition has no further effect, \
                 and is answered the same. Never forgotten, unless the operation says for how long it is remembered.",
            ),
            Self::OrOwnId => (
                Required::False,
                "As everywhere; needed when there is no `generation_id`. One generation is charged once, whatever \
                 key is sent.",
            ),
        };
        Some(
            ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .required(required)
                .description(Some(description))
                .schema(Some(RefOr::Ref(Ref::from_schema_name("Key"))))
                .build(),
        )
    }
}

impl OperationSpec {
    /// All codes that it can answer with.
    #[must_use]
    pub fn codes(&self) -> Vec<Code> {
        let mut codes = self.own.to_vec();
        if !self.scopes.is_empty() {
            codes.extend_from_slice(AUTHENTICATED);
        }
        if self.takes_json {
            codes.extend_from_slice(JSON);
        }
        if self.key != KeyRule::None {
            codes.extend_from_slice(COMMAND);
        }
        if self.asks_stripe {
            codes.extend_from_slice(AT_STRIPE);
        }
        if self.reads_position {
            codes.push(Code::PositionUnknown);
        }
        if self.waits {
            codes.push(Code::PositionTimeout);
        }
        codes
    }

    const fn command(id: &'static str, scopes: &'static [KeyScope], own: &'static [Code]) -> Self {
        Self {
            id,
            scopes,
            key: KeyRule::Required,
            reads_position: false,
            waits: false,
            takes_json: true,
            asks_stripe: false,
            own,
        }
    }

    const fn billing(id: &'static str, own: &'static [Code]) -> Self {
        Self { asks_stripe: true, ..Self::command(id, Bills::SCOPES, own) }
    }

    /// Something at Stripe that can be asked any number of times.
    const fn at_stripe(id: &'static str, takes_json: bool, own: &'static [Code]) -> Self {
        Self { asks_stripe: true, ..Self::other(id, Bills::SCOPES, takes_json, own) }
    }

    const fn read(id: &'static str, scopes: &'static [KeyScope], own: &'static [Code]) -> Self {
        Self {
            id,
            scopes,
            key: KeyRule::None,
            reads_position: true,
            waits: false,
            takes_json: false,
            asks_stripe: false,
            own,
        }
    }

    const fn model(id: &'static str, scopes: &'static [KeyScope], own: &'static [Code]) -> Self {
        Self { waits: true, ..Self::read(id, scopes, own) }
    }

    const fn other(
        id: &'static str,
        scopes: &'static [KeyScope],
        takes_json: bool,
        own: &'static [Code],
    ) -> Self {
        Self {
            id,
            scopes,
            key: KeyRule::None,
            reads_position: false,
            waits: false,
            takes_json,
            asks_stripe: false,
            own,
        }
    }
}

/// The operation with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static OperationSpec> {
    OPERATIONS.iter().find(|described| described.id == id)
}

/// Every operation of the document; a test fails for one that is not in here.
pub const OPERATIONS: &[OperationSpec] = &[
    OperationSpec {
        key: KeyRule::None,
        ..OperationSpec::command(
            "open_account",
            Deducts::SCOPES,
            &[Code::AccountClosed, Code::Unavailable, Code::OutcomeUnknown, Code::AccountDamaged],
        )
    },
    OperationSpec {
        key: KeyRule::None,
        ..OperationSpec::command(
            "import_account",
            Operates::SCOPES,
            &[
                Code::AccountAlreadyOpen,
                Code::CustomerTaken,
                Code::GrantAlreadyExists,
                Code::GrantHasEnded,
                Code::UnknownPlan,
            ],
        )
    },
    OperationSpec { key: KeyRule::OrOwnId, ..OperationSpec::command("generate", Deducts::SCOPES, PRICED) },
    OperationSpec::command("deduct", Deducts::SCOPES, LIMITED),
    OperationSpec::command(
        "hold",
        Deducts::SCOPES,
        &[Code::InsufficientCredits, Code::LimitReached, Code::ClockBehind, Code::HoldTooLong],
    ),
    OperationSpec::command(
        "commit_hold",
        Deducts::SCOPES,
        &[
            Code::HoldNotFound,
            Code::HoldAlreadyResolved,
            Code::CommitExceedsHold,
            Code::InsufficientCredits,
            Code::LimitReached,
        ],
    ),
    OperationSpec::command("release_hold", Deducts::SCOPES, OF_HOLD),
    OperationSpec::command(
        "extend_hold",
        Deducts::SCOPES,
        &[Code::HoldNotFound, Code::HoldAlreadyResolved, Code::HoldTooLong],
    ),
    OperationSpec::command(
        "refund",
        Deducts::SCOPES,
        &[Code::DeductionNotFound, Code::RefundExceedsDeduction],
    ),
    OperationSpec::command("grant", Operates::SCOPES, &[Code::GrantAlreadyExists, Code::GrantHasEnded]),
    OperationSpec::command("adjust", Operates::SCOPES, &[Code::InsufficientCredits, Code::ClockBehind]),
    OperationSpec::command("forgive_debt", Operates::SCOPES, &[Code::NothingOwed, Code::DebtSmaller]),
    OperationSpec::command("close_account", Operates::SCOPES, &[Code::HoldsOpen]),
    OperationSpec {
        takes_json: true,
        ..OperationSpec::read(
            "quote",
            Quotes::SCOPES,
            &[
                Code::AccountNotFound,
                Code::AccountClosed,
                Code::UnknownGenerationType,
                Code::UnknownOption,
                Code::UnknownOptionValue,
                Code::AmountTooLarge,
                Code::ClockBehind,
            ],
        )
    },
    OperationSpec::other("execute_commands", Commands::SCOPES, true, &[]),
    OperationSpec::read("get_account", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("get_balance", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("get_overview", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("list_grants", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("list_holds", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("get_limits", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("get_entitlements", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("get_subscription", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("list_subscriptions", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::read("list_events", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::model("list_accounts", Lists::SCOPES, &[]),
    OperationSpec::model("get_subscription_history", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::model("get_statement", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::model("get_usage", Reads::SCOPES, &[Code::AccountNotFound]),
    OperationSpec::model("list_all_subscriptions", Bills::SCOPES, &[]),
    OperationSpec::model("list_all_payments", Bills::SCOPES, &[]),
    OperationSpec::model("list_all_refunds", Bills::SCOPES, &[]),
    OperationSpec::model("analyse_usage", Bills::SCOPES, &[]),
    OperationSpec::model("analyse_mrr", Bills::SCOPES, &[]),
    OperationSpec::model("analyse_movements", Bills::SCOPES, &[]),
    OperationSpec::billing(
        "create_checkout_session",
        &[
            Code::CustomerTaken,
            Code::UnknownPlan,
            Code::UnknownPack,
            Code::NotForSale,
            Code::BillingOffForAccount,
            Code::SubscriptionActive,
            Code::NoTrial,
            Code::TopUpOutOfBounds,
            Code::TooManyCheckouts,
        ],
    ),
    OperationSpec::billing("create_portal_session", OF_PORTAL),
    OperationSpec::billing(
        "subscribe",
        &[
            Code::UnknownPlan,
            Code::NotForSale,
            Code::BillingOffForAccount,
            Code::NoCustomer,
            Code::PaymentMethodNotFound,
            Code::SubscriptionActive,
            Code::NoTrial,
            Code::TooManyCheckouts,
        ],
    ),
    OperationSpec {
        asks_stripe: true,
        ..OperationSpec::other("preview_subscription_change", Bills::SCOPES, true, OF_PREVIEW)
    },
    OperationSpec::billing("change_subscription", OF_CHANGE),
    OperationSpec {
        asks_stripe: true,
        ..OperationSpec::other("get_pending_change", Bills::SCOPES, false, OF_UPCOMING)
    },
    OperationSpec::billing("withdraw_change", OF_SUBSCRIPTION),
    OperationSpec::billing("cancel_subscription", OF_SUBSCRIPTION),
    OperationSpec::billing("withdraw_cancellation", OF_SUBSCRIPTION),
    OperationSpec::billing("pause_subscription", OF_SUBSCRIPTION),
    OperationSpec::billing("resume_subscription", OF_RESUMPTION),
    OperationSpec {
        asks_stripe: true,
        ..OperationSpec::other("get_upcoming_invoice", Bills::SCOPES, false, OF_UPCOMING)
    },
    OperationSpec::at_stripe("become_customer", true, LINKING),
    OperationSpec::at_stripe("get_customer", false, OF_CUSTOMER),
    OperationSpec::at_stripe("update_customer", true, OF_CUSTOMER),
    OperationSpec::at_stripe(
        "delete_customer",
        false,
        &[Code::AccountNotFound, Code::AccountClosed, Code::NoCustomer, Code::SubscriptionActive],
    ),
    OperationSpec { asks_stripe: true, ..OperationSpec::model("find_customers", Bills::SCOPES, &[]) },
    OperationSpec::at_stripe("list_payment_methods", false, &[Code::AccountNotFound, Code::AccountClosed]),
    OperationSpec::billing(
        "attach_payment_method",
        &[Code::CustomerTaken, Code::PaymentMethodNotFound, Code::PaymentMethodTaken],
    ),
    OperationSpec::billing(
        "create_payment",
        &[
            Code::CustomerTaken,
            Code::UnknownPack,
            Code::NotForSale,
            Code::BillingOffForAccount,
            Code::PaymentOutOfBounds,
            Code::TopUpOutOfBounds,
        ],
    ),
    OperationSpec::at_stripe("list_payments", false, &[Code::AccountNotFound]),
    OperationSpec::at_stripe("get_payment", false, &[Code::AccountNotFound, Code::PaymentNotFound]),
    OperationSpec::billing(
        "confirm_payment",
        &[Code::PaymentNotFound, Code::PaymentMethodNotFound, Code::PaymentState, Code::BillingOffForAccount],
    ),
    OperationSpec::billing(
        "capture_payment",
        &[
            Code::PaymentNotFound,
            Code::PaymentState,
            Code::CaptureExceedsPayment,
            Code::PartOfPack,
            Code::UnknownPack,
        ],
    ),
    OperationSpec::billing("cancel_payment", &[Code::PaymentNotFound, Code::PaymentState]),
    OperationSpec::billing(
        "refund_payment",
        &[Code::PaymentNotFound, Code::RefundExceedsPayment, Code::PackNotRefundable, Code::PaymentDisputed],
    ),
    OperationSpec::at_stripe("list_invoices", false, &[Code::AccountNotFound]),
    OperationSpec {
        asks_stripe: true,
        ..OperationSpec::other("create_product", Administers::SCOPES, true, &[Code::NameTaken])
    },
    OperationSpec {
        asks_stripe: true,
        ..OperationSpec::other("create_price", Administers::SCOPES, true, &[Code::NameTaken])
    },
    OperationSpec::other("list_products", &[], false, FOR_EVERYBODY),
    OperationSpec::other(
        "get_product",
        &[],
        false,
        &[Code::RateLimited, Code::ProductNotFound, Code::InvalidParameter],
    ),
    OperationSpec::other("list_prices", &[], false, FOR_EVERYBODY),
    OperationSpec::at_stripe("prefer_payment_method", false, OF_METHOD),
    OperationSpec::at_stripe("detach_payment_method", false, OF_METHOD),
    OperationSpec::other("list_inbox", Operates::SCOPES, false, &[]),
    OperationSpec::other("get_inbox_event", Operates::SCOPES, false, &[Code::InboxEventNotFound]),
    OperationSpec::other(
        "retry_inbox_event",
        Operates::SCOPES,
        false,
        &[Code::InboxEventNotFound, Code::InboxEventState, Code::InboxEventForgotten],
    ),
    OperationSpec::other(
        "discard_inbox_event",
        Operates::SCOPES,
        true,
        &[Code::InboxEventNotFound, Code::InboxEventState, Code::InboxEventForgotten],
    ),
    OperationSpec::other("list_projections", Operates::SCOPES, false, &[]),
    OperationSpec::other("replay_account", Audits::SCOPES, false, &[Code::AccountNotFound, Code::AuditBusy]),
    OperationSpec::other("verify_journal", Audits::SCOPES, false, &[Code::AuditBusy]),
    OperationSpec::other(
        "receive_stripe_event",
        &[],
        false,
        &[
            Code::WebhookSignatureInvalid,
            Code::WebhookUnparsable,
            Code::BodyTooLarge,
            Code::BodyTimeout,
            Code::Unavailable,
            Code::Internal,
        ],
    ),
    OperationSpec::other("create_api_key", Administers::SCOPES, true, &[]),
    OperationSpec::other("list_api_keys", Administers::SCOPES, false, &[]),
    OperationSpec::other("revoke_api_key", Administers::SCOPES, false, &[Code::ApiKeyNotFound]),
    OperationSpec::other("get_catalog", &[], false, FOR_EVERYBODY),
    OperationSpec::other("health", &[], false, &[]),
    OperationSpec::other("readiness", &[], false, &[]),
    OperationSpec::other("metrics", Watches::SCOPES, false, &[]),
];
