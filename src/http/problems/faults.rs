//! Which failures are not the caller's fault? The database is unavailable, or the program is wrong.

use std::error::Error;

use crate::{
    auth::keys::KeyError, journal::row::RowError, ledger::ViewError, postgres::away::is_away,
    projector::ProjectorError,
};

use super::{Cause, Explain, Explanation, Problem, Unavailable, explain};

/// The caller can only wait, if the database is unavailable or full.
#[derive(Debug)]
pub enum Fault {
    Away(Cause),
    Internal(Cause),
}

impl Fault {
    pub fn of(cause: impl Error + Send + Sync + 'static) -> Self {
        if is_away(&cause) { Self::Away(Box::new(cause)) } else { Self::Internal(Box::new(cause)) }
    }
}

explain! {
    Fault, also { Self::Away(cause) => Explanation::of(Unavailable::CODE).caused(cause), };

    Self::Internal(cause) => Internal = INTERNAL_SERVER_ERROR, "internal", "An internal error occurred",
        "Repeat the request with the same key. Tell the operator the `request_id` if it happens again.",
        caused cause;
}

macro_rules! faults {
    ($($error:ty)+) => {$(
        impl Explain for $error {
            fn explain(self) -> Explanation {
                Fault::of(self).explain()
            }
        }
    )+};
}

faults!(KeyError ProjectorError RowError ViewError sqlx::Error);
