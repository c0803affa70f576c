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
        /// Credits were set aside.
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
        /// Work was done for a hold: part or all of it is spent, the rest went back.
        HoldCommitted {
            hold_id: HoldId,
            /// What was spent out of the hold.
            amount: Credits,
            draws: Vec<Draw>,
            returns: Vec<Draw>,
            /// What was asked for beyond the hold and not taken.
            #[serde(default)]
            shortfall: Credits,
            purpose: Purpose,
            effective_at: Timestamp,
        },
        HoldReleased {
            hold_id: HoldId,
            returns: Vec<Draw>,
            effective_at: Timestamp,
        },
        HoldExpired {
            hold_id: HoldId,
            returns: Vec<Draw>,
            effective_at: Timestamp,
        },
    }
}
