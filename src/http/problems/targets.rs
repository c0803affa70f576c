//! What is asked for that is not there, or in no state for it?

use crate::stripe::inbound::inbox::InboxState;

use super::explain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    DeductionNotFound,
    ApiKeyNotFound,
    /// The catalog has none.
    ProductNotFound,
    InboxEventNotFound,
    InboxEventState(InboxState),
    /// Its document is not kept any more.
    InboxEventForgotten,
    AuditBusy,
}

explain! {
    TargetError;

    Self::ProductNotFound => ProductNotFound = NOT_FOUND, "product_not_found", "There is no such product",
        "GET /v1/products lists them.";
    Self::DeductionNotFound => DeductionNotFound = NOT_FOUND, "deduction_not_found", "There is no such deduction",
        "Check the `deduction_id` or `generation_id`. A hold can be refunded once it is committed.";
    Self::ApiKeyNotFound => ApiKeyNotFound = NOT_FOUND, "api_key_not_found", "There is no such API key",
        "GET /v1/api-keys lists them. The id is not the secret.";
    Self::InboxEventNotFound => InboxEventNotFound = NOT_FOUND, "inbox_event_not_found", "There is no such delivery",
        "GET /v1/inbox lists what was delivered.";
    Self::InboxEventState(state) =>
        InboxEventState = CONFLICT, "inbox_event_state", "That cannot be done with this delivery now",
        "`state` says where it stands.",
        says format!("It is `{}`.", state.as_str()),
        with { state: String = state, };
    Self::InboxEventForgotten => InboxEventForgotten = CONFLICT,
        "inbox_event_forgotten", "The document of this delivery is not kept any more",
        "`counterfoil stripe reconcile` asks Stripe for what the ledger lacks.";
    Self::AuditBusy => AuditBusy = SERVICE_UNAVAILABLE, "audit_busy", "Other audits are running",
        "Ask again after `Retry-After` seconds.";
}
