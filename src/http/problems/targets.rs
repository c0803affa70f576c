//! Which targets of a request do not exist, or are not in the right state?

use crate::stripe::inbound::inbox::InboxState;

use super::explain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    DeductionNotFound,
    ApiKeyNotFound,
    /// The catalog has no such product.
    ProductNotFound,
    InboxEventNotFound,
    InboxEventState(InboxState),
    /// The document is no longer stored.
    InboxEventForgotten,
    AuditBusy,
}

explain! {
    TargetError;

    Self::ProductNotFound => ProductNotFound = NOT_FOUND, "product_not_found", "There is no such product",
        "GET /v1/products lists them.";
    Self::DeductionNotFound => DeductionNotFound = NOT_FOUND, "deduction_not_found", "There is no such deduction",
        "Check the `deduction_id` or `generation_id`. A hold can be refunded once it is committed, and a part of it once it is spent.";
    Self::ApiKeyNotFound => ApiKeyNotFound = NOT_FOUND, "api_key_not_found", "There is no such API key",
        "GET /v1/api-keys lists them. The id is not the secret.";
    Self::InboxEventNotFound => InboxEventNotFound = NOT_FOUND, "inbox_event_not_found", "There is no such delivery",
        "GET /v1/inbox lists what was delivered.";
    Self::InboxEventState(state) =>
        InboxEventState = CONFLICT, "inbox_event_state", "That cannot be done with this delivery now",
        "`state` says what state it is in.",
        says format!("It is `{}`.", state.as_str()),
        with { state: String = state, };
    Self::InboxEventForgotten => InboxEventForgotten = CONFLICT,
        "inbox_event_forgotten", "The document of this delivery is no longer stored",
        "`counterfoil stripe reconcile` fetches from Stripe what the ledger lacks.";
    Self::AuditBusy => AuditBusy = SERVICE_UNAVAILABLE, "audit_busy", "Other audits are running",
        "Ask again after `Retry-After` seconds.";
}
