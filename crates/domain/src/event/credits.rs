//! What happened to the credits themselves?

use std::borrow::Cow;

use crate::{
    amount::Credits,
    credits::GrantTerms,
    ids::{DeductionId, GrantId, ProviderId},
    limits::UsageWindow,
    purpose::{Draw, Purpose},
    time::Timestamp,
};

use super::BURN_ORDER;

const fn burn_order() -> Cow<'static, str> {
    Cow::Borrowed(BURN_ORDER)
}

fn is_burn_order(order: &str) -> bool {
    order == BURN_ORDER
}

super::family! {
    CreditsEvent {
        /// A grant was made.
        CreditsGranted {
            grant: GrantTerms,
            /// What the credits had been spent on, if a refund gives them as a new grant.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            purpose: Option<Purpose>,
            effective_at: Timestamp,
        },
        /// Credits were spent.
        CreditsDeducted {
            deduction_id: DeductionId,
            amount: Credits,
            /// Which grants paid, and how much each. Sums to `amount`.
            draws: Vec<Draw>,
            /// The spending order that was followed: `burn/v1`, unless it says so.
            #[serde(default = "burn_order", skip_serializing_if = "is_burn_order")]
            order: Cow<'static, str>,
            /// Nothing but an amount, unless it says so.
            #[serde(default, skip_serializing_if = "Purpose::is_unnamed")]
            purpose: Purpose,
            /// The windows of limits in which the deduction counts.
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
            /// Which grants would have got credits back if they had not ended. A new grant has these credits.
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
        /// An operator, or a downgrade that took effect at once, took credits away.
        CreditsAdjusted {
            amount: Credits,
            draws: Vec<Draw>,
            reason: String,
            effective_at: Timestamp,
        },
        /// Credits that a refunded payment, or one with a lost dispute, had bought were taken back.
        CreditsClawedBack {
            payment: ProviderId,
            grant_id: GrantId,
            /// How many were left in the grant, and are void now.
            voided: Credits,
            /// How many had expired already.
            #[serde(default)]
            expired: Credits,
            /// How many had been spent already, and are owed now.
            owed: Credits,
            /// How many had been spent already, and are forgiven.
            forgiven: Credits,
            effective_at: Timestamp,
        },
        /// Credits that had been clawed back were returned: the refund failed, or the dispute was won after all.
        CreditsRestored {
            payment: ProviderId,
            grant_id: GrantId,
            /// How many were void, and can be spent again.
            restored: Credits,
            /// How many had expired before the clawback, and stay expired.
            expired: Credits,
            /// By how much the debt is reduced.
            unowed: Credits,
            /// How many were owed and had been paid with other credits. A new grant has as many.
            repaid: Credits,
            /// How many had been forgiven, and no longer have to be.
            unforgiven: Credits,
            effective_at: Timestamp,
        },
        /// The rest of the grant cannot be spent while its payment is disputed.
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
        /// A grant ends at another time than was known: the next month is not paid yet, or a trial was extended.
        GrantEndMoved {
            grant_id: GrantId,
            ends_at: Timestamp,
            /// How many had expired at the earlier end, and can be spent again.
            #[serde(default)]
            revived: Credits,
            effective_at: Timestamp,
        },
        /// A grant paid debt of the account.
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
