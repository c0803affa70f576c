//! What happened to credits that are held?

use crate::{
    amount::Credits,
    ids::HoldId,
    limits::UsageWindow,
    purpose::{Draw, Purpose},
    time::Timestamp,
};

super::family! {
    HoldEvent {
        /// Credits were reserved.
        CreditsHeld {
            hold_id: HoldId,
            amount: Credits,
            draws: Vec<Draw>,
            order: String,
            purpose: Purpose,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
            expires_at: Timestamp,
            effective_at: Timestamp,
        },
        HoldExtended {
            hold_id: HoldId,
            expires_at: Timestamp,
            effective_at: Timestamp,
        },
        /// Work was done for a hold: part or all of it was spent, and the rest was returned.
        HoldCommitted {
            hold_id: HoldId,
            /// How much of the hold was spent.
            amount: Credits,
            draws: Vec<Draw>,
            returns: Vec<Draw>,
            /// How much was asked for beyond the hold and not taken.
            #[serde(default)]
            shortfall: Credits,
            purpose: Purpose,
            effective_at: Timestamp,
        },
        HoldReleased {
            hold_id: HoldId,
            returns: Vec<Draw>,
            /// What was held for. `None`: an earlier release of the program did not store it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            purpose: Option<Purpose>,
            effective_at: Timestamp,
        },
        HoldExpired {
            hold_id: HoldId,
            returns: Vec<Draw>,
            /// What was held for. `None`: an earlier release of the program did not store it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            purpose: Option<Purpose>,
            effective_at: Timestamp,
        },
    }
}
