//! What happened to payments, refunds and disputes?

use crate::{amount::Money, ids::ProviderId, purpose::PaymentPurpose, time::Timestamp};

super::family! {
    PaymentEvent {
        PaymentSucceeded {
            payment: ProviderId,
            money: Money,
            purpose: PaymentPurpose,
            effective_at: Timestamp,
        },
        PaymentFailed {
            payment: ProviderId,
            money: Money,
            purpose: PaymentPurpose,
            /// How often the payment was tried, including this time.
            attempt: u32,
            effective_at: Timestamp,
        },
        /// The customer has to confirm the payment, for example by 3-D Secure.
        PaymentActionRequired {
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        /// A payment was refunded. `refunded` is the total of its refunds so far.
        PaymentRefunded {
            payment: ProviderId,
            refunded: Money,
            paid: Money,
            effective_at: Timestamp,
        },
        /// An invoice was paid by this payment. Refunds and disputes name the payment, and grants name the invoice.
        PaymentLinked {
            payment: ProviderId,
            invoice: ProviderId,
            effective_at: Timestamp,
        },
        /// One refund was made, which is known by its own id.
        RefundIssued {
            refund: ProviderId,
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        /// The money of a refund did not reach the customer and was returned to the business.
        RefundFailed {
            refund: ProviderId,
            payment: ProviderId,
            money: Money,
            refunded_at: Timestamp,
            effective_at: Timestamp,
        },
        /// A credit note put a part of an invoice on the customer's balance, or says that it was returned outside of
        /// the provider.
        CreditNoteIssued {
            note: ProviderId,
            invoice: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        CreditNoteVoided {
            note: ProviderId,
            invoice: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        DisputeOpened {
            dispute: ProviderId,
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        DisputeClosed {
            dispute: ProviderId,
            payment: ProviderId,
            won: bool,
            /// The disputed amount, which may be less than was paid. `None`: all of it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            money: Option<Money>,
            effective_at: Timestamp,
        },
    }
}
