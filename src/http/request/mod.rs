//! What does a request say? Everything is parsed here, strictly, before anything happens.

mod amount;
mod body;
mod caller;
mod key;
mod metadata;
mod names;
mod query;
mod request_id;
mod text;
mod word;

pub use amount::Amount;
pub use body::{
    BATCH_BYTES_MAX, BODY_BYTES_MAX, Json, JsonObject, JsonOrNothing, parse, read, read_json, require_json,
};
pub use caller::{
    AccountOf, Administers, All, Audits, Authenticated, Bills, Commands, Deducts, Lists, Need, Operates,
    Quotes, Reads, Several, Watches, parameter, provenance,
};
pub use key::{IdempotencyHeader, check_key, key_missing};
pub use metadata::{Pair, Pairs};
pub use names::names_once;
pub use query::Query;
pub use request_id::RequestId;
pub use text::{InvalidText, Text};
pub use word::{word, word_or_nothing, words};
