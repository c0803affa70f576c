//! Why did the ledger not execute a command, apart from refusals?

use crate::{http::schema::Count, ledger::ExecuteError};

use super::explain;

explain! {
    ExecuteError, also { Self::Refused(refusal) => refusal.explain(), };

    Self::KeyReused => IdempotencyKeyReused = UNPROCESSABLE_ENTITY,
        "idempotency_key_reused", "The key, or the generation, was used for another request",
        "Use a new key for a new request, and the same key only to repeat the same request.";
    Self::Overloaded => Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Too many commands are waiting",
        "Nothing was changed. Repeat the request with the same key after `Retry-After` seconds.";
    Self::Unavailable => Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The database does not answer now",
        "Repeat the request with the same key after `Retry-After` seconds: what it asks for happens once.";
    Self::OutcomeUnknown => OutcomeUnknown = SERVICE_UNAVAILABLE,
        "outcome_unknown", "The outcome was not known in time",
        "It may have happened. Repeat the request with the same key: it happens once, and you will be told.";
    Self::ClockBehind { behind_s } =>
        ClockBehind = SERVICE_UNAVAILABLE, "clock_behind", "The ledger's clock is behind",
        "Nothing was changed. The clock is `behind_s` seconds before what is recorded, so what has begun since is not \
         seen, and whether this is allowed is not known. Tell the operator to set it; then repeat the request with the \
         same key.",
        says format!("The clock is {behind_s} s behind the newest event."),
        with {
            /// The difference in seconds.
            behind_s: Count = behind_s,
        };
    Self::Damaged => AccountDamaged = INTERNAL_SERVER_ERROR, "account_damaged", "The account's history is damaged",
        "Nothing was changed. Tell the operator, who finds the place with `counterfoil audit verify`.";
}
