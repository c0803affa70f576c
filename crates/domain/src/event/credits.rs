//! What happened to the credits themselves?

use crate::{
    amount::Credits,
    credits::GrantTerms,
    ids::{DeductionId, GrantId, ProviderId},
    limits::UsageWindow,
    purpose::{Draw, Purpose},
    time::Timestamp,
};

super::family! {
    CreditsEvent {
        /// A lot of credits came to be.
        CreditsGranted {
            grant: GrantTerms,
            effective_at: Timestamp,
        },
        /// Credits were spent.
        CreditsDeducted {
            deduction_id: DeductionId,
            amount: Credits,
            /// Which grants paid, and how much each. Sums to `amount`.
            draws: Vec<Draw>,
            /// The spending order that was followed.
            order: String,
            purpose: Purpose,
            /// The windows of limits that this counts in.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
            effective_at: Timestamp,
        },
        /// Credits that had been spent came back.
        CreditsRefunded {
            deduction_id: DeductionId,
            amount: Credits,
            /// Which grants got credits back, the last that had paid first.
            returns: Vec<Draw>,
            /// Which grants would have got credits back, had they not ended. A new grant has them instead.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            reissued: Vec<Draw>,
            reason: String,
            purpose: Purpose,
            /// The windows in which the deduction no longer counts.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            windows: Vec<UsageWindow>,
            effective_at: Timestamp,
        },
        /// A grant reached its end with credits left.
        CreditsExpired {
            grant_id: GrantId,
            amount: Credits,
            effective_at: Timestamp,
        },
        /// An operator, or a downgrade at once, took credits away.
        CreditsAdjusted {
            amount: Credits,
            draws: Vec<Draw>,
            reason: String,
            effective_at: Timestamp,
        },
        /// Credits that a refunded or lost payment had bought were taken back.
        CreditsClawedBack {
            payment: ProviderId,
            grant_id: GrantId,
            /// What was left of the grant and is void now.
            voided: Credits,
            /// What had expired already, so that nobody has it.
            #[serde(default)]
            expired: Credits,
            /// What had been spent already and is owed now.
            owed: Credits,
            /// What had been spent already and is not asked for.
            forgiven: Credits,
            effective_at: Timestamp,
        },
        /// Credits that had been taken back came back: the refund failed, or the dispute was won after all.
        CreditsRestored {
            payment: ProviderId,
            grant_id: GrantId,
            /// What was void and can be spent again.
            restored: Credits,
            /// What had expired before it was taken back, and is expired still.
            expired: Credits,
            /// What is no longer owed.
            unowed: Credits,
            /// What had been owed and was paid by other credits. A new grant has as much.
            repaid: Credits,
            /// What had been forgiven, and need not be any more.
            unforgiven: Credits,
            effective_at: Timestamp,
        },
        /// What is left of the grant cannot be spent while its payment is disputed.
        GrantFrozen {
            grant_id: GrantId,
            dispute: ProviderId,
            effective_at: Timestamp,
        },
        GrantUnfrozen {
            grant_id: GrantId,
            dispute: ProviderId,
            effective_at: Timestamp,
        },
        /// A grant ends at another time than it said: the next month is not paid yet, or a trial was extended.
        GrantEndMoved {
            grant_id: GrantId,
            ends_at: Timestamp,
            /// What had expired by what was known before, and can be spent again.
            #[serde(default)]
            revived: Credits,
            effective_at: Timestamp,
        },
        /// A grant paid what the account owed.
        DebtPaid {
            grant_id: GrantId,
            amount: Credits,
            effective_at: Timestamp,
        },
        DebtForgiven {
            amount: Credits,
            reason: String,
            effective_at: Timestamp,
        },
    }
}
