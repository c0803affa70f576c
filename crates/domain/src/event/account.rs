//! Who is the account, and whose customer is it?

use crate::{
    discounts::{DiscountReport, DiscountStep, TakenOff},
    ids::{PlanId, ProviderId},
    metadata::Metadata,
    moving::MovedIn,
    time::Timestamp,
};

super::family! {
    AccountEvent {
        /// The account exists from now on, on the plan that needs no subscription.
        AccountOpened {
            plan: PlanId,
            /// What it had where it was kept before. `None`: it is new.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            moved_in: Option<MovedIn>,
            effective_at: Timestamp,
        },
        /// A customer at the payment provider stands for this account.
        CustomerLinked {
            customer: ProviderId,
            effective_at: Timestamp,
        },
        /// The customer is gone at the payment provider. The ledger stays.
        CustomerUnlinked {
            customer: ProviderId,
            effective_at: Timestamp,
        },
        /// A customer has a discount from then on, for those of its subscriptions that have none of their own.
        CustomerDiscounted {
            customer: ProviderId,
            discount: ProviderId,
            /// What it takes off for ever. `None`: it passes, and takes nothing off revenue.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            off: Option<TakenOff>,
            effective_at: Timestamp,
        },
        CustomerDiscountEnded {
            customer: ProviderId,
            discount: ProviderId,
            effective_at: Timestamp,
        },
        /// What the caller attaches to the account, whole.
        AccountMetadataSet {
            metadata: Metadata,
            effective_at: Timestamp,
        },
        /// Nothing more can be spent or granted.
        AccountClosed {
            reason: String,
            effective_at: Timestamp,
        },
    }
}

impl AccountEvent {
    /// What it reports of a discount. `None` for events about other things.
    #[must_use]
    pub fn discount_report(&self) -> Option<DiscountReport> {
        let (customer, discount, what) = match self {
            Self::CustomerDiscounted { customer, discount, off, .. } => {
                (customer, discount, DiscountStep::Begun(off.clone()))
            }
            Self::CustomerDiscountEnded { customer, discount, .. } => {
                (customer, discount, DiscountStep::Ended)
            }
            Self::AccountOpened { .. }
            | Self::CustomerLinked { .. }
            | Self::CustomerUnlinked { .. }
            | Self::AccountMetadataSet { .. }
            | Self::AccountClosed { .. } => return None,
        };
        let (customer, discount) = (customer.clone(), discount.clone());
        Some(DiscountReport { customer, discount, what, at: self.effective_at() })
    }
}
