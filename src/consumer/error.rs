//! What can fail, and is the event the cause?

use sqlx::error::DatabaseError;

use crate::journal::feed::{FeedError, UnreadableEvent};

use super::contract::HandleError;

#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    #[error("nothing that is called `{consumer}` follows the journal")]
    Unknown { consumer: String },
    #[error("no account `{account}` is parked in `{consumer}`")]
    NotParked { consumer: String, account: String },
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Handle(#[from] HandleError),
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
}

/// The cause of a failure, which decides what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConsumerFault {
    /// It may work the next time.
    Transient,
    /// Perhaps one of the events: it is found by halving the batch.
    Event,
    /// The program or the database: no event is handled until a person has looked.
    Permanent,
}

impl ConsumerError {
    pub(super) fn fault(&self) -> ConsumerFault {
        match self {
            Self::Handle(HandleError::Unfit { .. }) | Self::Unreadable(_) => ConsumerFault::Event,
            Self::Handle(HandleError::Database(error))
            | Self::Database(error)
            | Self::Feed(FeedError::Database(error)) => database_fault(error),
            Self::Feed(FeedError::Interrupted) => ConsumerFault::Transient,
            Self::Feed(FeedError::Malformed | FeedError::Missing(_))
            | Self::Unknown { .. }
            | Self::NotParked { .. } => ConsumerFault::Permanent,
        }
    }

    /// Whether trying again will fail again, until somebody has mended the journal, the program or the database.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self.fault() {
            ConsumerFault::Event | ConsumerFault::Permanent => true,
            ConsumerFault::Transient => false,
        }
    }

    /// The failure with its causes, for a person.
    pub(super) fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !reason.contains(&cause_text) {
                reason = format!("{reason}: {cause_text}");
            }
            source = cause.source();
        }
        reason
    }
}

/// By the class of the SQLSTATE: values and constraints are about rows; names and privileges are not.
fn database_fault(error: &sqlx::Error) -> ConsumerFault {
    let Some(code) = error.as_database_error().and_then(DatabaseError::code) else {
        let is_ours = matches!(error, sqlx::Error::Encode(_) | sqlx::Error::Decode(_));
        return if is_ours { ConsumerFault::Permanent } else { ConsumerFault::Transient };
    };
    match code.get(..2) {
        // Data exceptions, constraints, what a function raises, limits such as an index row's size.
        Some("22" | "23" | "P0" | "54") => ConsumerFault::Event,
        // Syntax or access rules: a table or a privilege is missing.
        Some("42" | "0A" | "3F") => ConsumerFault::Permanent,
        _ => ConsumerFault::Transient,
    }
}
