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
        /// The account is open from now on, on the plan that needs no subscription.
        AccountOpened {
            plan: PlanId,
            /// What it had elsewhere, if it moved in. `None`: it is new.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            moved_in: Option<MovedIn>,
            effective_at: Timestamp,
        },
        /// A customer at the payment provider belongs to this account.
        CustomerLinked {
            customer: ProviderId,
            effective_at: Timestamp,
        },
        /// The customer was deleted at the payment provider. The account stays as it is.
        CustomerUnlinked {
            customer: ProviderId,
            effective_at: Timestamp,
        },
        /// A customer has a discount from then on. It holds for those of its subscriptions that have none of their own.
        CustomerDiscounted {
            customer: ProviderId,
            discount: ProviderId,
            /// What it takes off, if it lasts for ever.
            /// `None`: it lasts for a limited time, so it takes nothing off revenue.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            off: Option<TakenOff>,
            effective_at: Timestamp,
        },
        CustomerDiscountEnded {
            customer: ProviderId,
            discount: ProviderId,
            effective_at: Timestamp,
        },
        /// The caller replaced what is attached to the account.
        AccountMetadataSet {
            metadata: Metadata,
            effective_at: Timestamp,
        },
        /// From now on nothing can be spent or granted.
        AccountClosed {
            reason: String,
            effective_at: Timestamp,
        },
    }
}

impl AccountEvent {
    /// The report on a discount. `None`: the event is about something else.
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
