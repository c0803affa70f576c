//! What happened to credits that are held?

use crate::{
    amount::Credits,
    ids::{DeductionId, HoldId},
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
            /// Where the spent credits count. `None`: where the hold said when it was opened, since nothing of it was
            /// spent, added or returned before.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            windows: Option<Vec<UsageWindow>>,
            effective_at: Timestamp,
        },
        /// A part of a hold was spent, and the rest is still held.
        HoldSpent {
            deduction_id: DeductionId,
            hold_id: HoldId,
            amount: Credits,
            draws: Vec<Draw>,
            /// What is left of the hold.
            left: Credits,
            /// What was held for, with the part's own generation if it names one.
            purpose: Purpose,
            /// The part's own description.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            description: Option<String>,
            /// Where the spent credits count, since they were held.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
            effective_at: Timestamp,
        },
        /// More credits were reserved by a hold.
        HoldToppedUp {
            hold_id: HoldId,
            /// How much was added.
            amount: Credits,
            draws: Vec<Draw>,
            order: String,
            /// What is left of the hold, with what was added.
            left: Credits,
            purpose: Purpose,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
            /// When the hold ends, which may be later than before.
            expires_at: Timestamp,
            effective_at: Timestamp,
        },
        /// A part of a hold was returned, and the rest is still held.
        HoldReduced {
            hold_id: HoldId,
            amount: Credits,
            returns: Vec<Draw>,
            /// What is left of the hold.
            left: Credits,
            purpose: Purpose,
            /// Where the returned credits no longer count.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
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
