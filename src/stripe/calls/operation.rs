//! Which operations does Stripe carry out, each exactly once?

use strum::{EnumString, IntoStaticStr, VariantArray};

/// What is done about a call with an unknown outcome, if Stripe has forgotten its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownOutcome {
    /// The call may be begun again, since doing it twice is harmless: a customer that was perhaps made has nothing,
    /// what was detached or closed stays so, and a new schedule changes nothing yet.
    Forget,
    /// The subscription shows whether it was changed as requested. If it does not, the outcome is lost.
    Compare,
    /// The outcome is lost, and an operator is told.
    Lose,
}

/// Each operation: its stored name, what is done about an unknown outcome, and the request that it makes, by which the
/// outcome is found out. Gives all rows to a macro.
macro_rules! for_each_operation {
    ($rows_to:ident) => {
        $rows_to! {
            /// An account gets one customer, whichever request comes first.
            CreateCustomer = "customer" => Forget, MakeCustomer;
            OpenCheckout = "checkout_session" => Lose, OpenCheckout;
            ExpireCheckout = "expire_checkout" => Forget, ExpireCheckout;
            OpenPortal = "portal_session" => Lose, OpenPortal;
            AttachPaymentMethod = "attach_payment_method" => Lose, AttachMethod;
            /// Its key is the payment method's id: a payment method is detached once, and cannot be attached again.
            DetachPaymentMethod = "detach_payment_method" => Forget, DetachMethod;
            CreatePayment = "payment" => Lose, MakePayment;
            ConfirmPayment = "confirm_payment" => Lose, ConfirmPayment;
            CapturePayment = "capture_payment" => Lose, CapturePayment;
            CancelPayment = "cancel_payment" => Lose, CancelPayment;
            RefundPayment = "refund_payment" => Lose, MakeRefund;
            CreateSubscription = "subscription_create" => Lose, MakeSubscription;
            ChangeSubscription = "subscription_change" => Compare, AmendSubscription;
            CancelSubscription = "subscription_cancel" => Compare, AmendSubscription;
            WithdrawCancellation = "subscription_withdraw_cancellation" => Compare, AmendSubscription;
            PauseSubscription = "subscription_pause" => Compare, AmendSubscription;
            ResumeSubscription = "subscription_resume" => Compare, AmendSubscription;
            WithdrawChange = "subscription_withdraw_change" => Compare, AmendSubscription;
            /// Makes a schedule that changes nothing yet.
            OpenSchedule = "subscription_schedule" => Forget, OpenSchedule;
            /// Releases a schedule before something else is done at once.
            /// Its key is the schedule's id: it is released once.
            ReleaseSchedule = "subscription_schedule_release" => Forget, ReleaseSchedule;
            /// Finds out whether an account pays for two subscriptions where only one is sold, and ends one.
            /// Its key is both subscriptions' ids.
            EndDuplicate = "second_subscription" => Lose, DuplicateEnding;
            /// Its key is the subscription's id.
            CancelDuplicate = "second_subscription_cancel" => Lose, AmendSubscription;
            /// Its key is the payment's id.
            RefundDuplicate = "second_subscription_refund" => Lose, MakeRefund;
        }
    };
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $stored:literal => $unknown:ident, $request:ident;)*) => {
        /// What a call does. The name is stored, and a part of the key at Stripe.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
        #[strum(const_into_str)]
        pub enum Operation {
            $($(#[$doc])* #[strum(serialize = $stored)] $name,)*
        }

        impl Operation {
            #[must_use]
            pub const fn unknown_outcome(self) -> UnknownOutcome {
                match self {
                    $(Self::$name => UnknownOutcome::$unknown,)*
                }
            }
        }
    };
}

for_each_operation!(operations);
pub(in crate::stripe) use for_each_operation;

impl Operation {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// `None`: the operation is one of a newer release, whose instances resolve it.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_by_which_it_is_found() {
        let names: BTreeSet<&str> = Operation::VARIANTS.iter().map(|operation| operation.as_str()).collect();
        assert_eq!(names.len(), Operation::VARIANTS.len());
        for operation in Operation::VARIANTS {
            assert_eq!(Operation::find(operation.as_str()), Some(*operation));
        }
        assert_eq!(Operation::find("something_newer"), None);
    }
}
