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

/// Defines each operation, its stored name, and what is done about an unknown outcome.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $stored:literal => $unknown:ident,)*) => {
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

operations! {
    /// An account gets one customer, whichever request comes first.
    CreateCustomer = "customer" => Forget,
    OpenCheckout = "checkout_session" => Lose,
    ExpireCheckout = "expire_checkout" => Forget,
    OpenPortal = "portal_session" => Lose,
    AttachPaymentMethod = "attach_payment_method" => Lose,
    /// Its key is the payment method's id: a payment method is detached once, and cannot be attached again.
    DetachPaymentMethod = "detach_payment_method" => Forget,
    CreatePayment = "payment" => Lose,
    ConfirmPayment = "confirm_payment" => Lose,
    CapturePayment = "capture_payment" => Lose,
    CancelPayment = "cancel_payment" => Lose,
    RefundPayment = "refund_payment" => Lose,
    CreateSubscription = "subscription_create" => Lose,
    ChangeSubscription = "subscription_change" => Compare,
    CancelSubscription = "subscription_cancel" => Compare,
    WithdrawCancellation = "subscription_withdraw_cancellation" => Compare,
    PauseSubscription = "subscription_pause" => Compare,
    ResumeSubscription = "subscription_resume" => Compare,
    WithdrawChange = "subscription_withdraw_change" => Compare,
    /// Makes a schedule that changes nothing yet.
    OpenSchedule = "subscription_schedule" => Forget,
    /// Releases a schedule before something else is done at once. Its key is the schedule's id: it is released once.
    ReleaseSchedule = "subscription_schedule_release" => Forget,
    /// Finds out whether an account pays for two subscriptions where only one is sold, and ends one.
    /// Its key is both subscriptions' ids.
    EndDuplicate = "second_subscription" => Lose,
    /// Its key is the subscription's id.
    CancelDuplicate = "second_subscription_cancel" => Lose,
    /// Its key is the payment's id.
    RefundDuplicate = "second_subscription_refund" => Lose,
}

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
