//! What is the state of a delivery?

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// Stored under these names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum InboxState {
    /// It is stored, and will be processed at once.
    Received,
    /// Its commands were executed.
    Processed,
    /// It changes nothing in the ledger.
    Ignored,
    /// A later release will handle it.
    NotHandledYet,
    /// It will be tried again at a known time.
    Waiting,
    /// It cannot be processed as it is. An operator has to look, and can have it tried again.
    Dead,
    /// It is not for this deployment: it is of the other mode, or of a connected account that is not configured.
    Quarantined,
    /// An operator decided that it is not processed.
    Discarded,
}

impl InboxState {
    /// States that are not final. Events in the other states become ever more.
    pub const OPEN: [Self; 5] =
        [Self::Received, Self::Waiting, Self::Dead, Self::Quarantined, Self::NotHandledYet];

    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::Processed,
        Self::Ignored,
        Self::NotHandledYet,
        Self::Waiting,
        Self::Dead,
        Self::Quarantined,
        Self::Discarded,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
