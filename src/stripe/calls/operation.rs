//! What is Stripe asked to do, each time once?

use strum::{EnumString, IntoStaticStr, VariantArray};

/// What is done about a call of which Stripe has forgotten the key, and of which nobody knows what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownOutcome {
    /// Doing it again costs nothing and does nothing twice: it may be begun anew. A customer that was perhaps made has
    /// nothing, what is detached or closed stays so, and in a new schedule nothing changes.
    Forget,
    /// The subscription says whether it was changed as was wanted. If it does not, nobody will know.
    Compare,
    /// Nobody will know, and a person is told.
    Lose,
}

/// Each operation, by the name that is stored, with what is done about an outcome that nobody knows.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $stored:literal => $unknown:ident,)*) => {
        /// What a call does. Its name is stored, and part of the key at Stripe.
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
    /// An account is made a customer once, whichever of its requests comes first.
    CreateCustomer = "customer" => Forget,
    OpenCheckout = "checkout_session" => Lose,
    ExpireCheckout = "expire_checkout" => Forget,
    OpenPortal = "portal_session" => Lose,
    AttachPaymentMethod = "attach_payment_method" => Lose,
    /// Its key is the method's id: a method is detached once, and does not come back.
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
    /// A schedule in which nothing changes yet.
    OpenSchedule = "subscription_schedule" => Forget,
    /// Before something else is done at once. Its key is the schedule's id: it is released once.
    ReleaseSchedule = "subscription_schedule_release" => Forget,
    /// Whether an account pays twice for what is sold once is found out, and mended. Its key is both subscriptions'
    /// ids.
    EndDuplicate = "second_subscription" => Lose,
    /// Its key is the subscription.
    CancelDuplicate = "second_subscription_cancel" => Lose,
    /// Its key is the payment.
    RefundDuplicate = "second_subscription_refund" => Lose,
}

impl Operation {
    /// Its name, as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// `None`: it is of a newer release, whose instances see to it.
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
