//! What is Stripe asked to do, each time once?

use strum::{EnumString, IntoStaticStr, VariantArray};

/// What a call does. Its name is stored, and part of the key at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum Operation {
    /// An account is made a customer once, whichever of its requests comes first.
    #[strum(serialize = "customer")]
    CreateCustomer,
    #[strum(serialize = "checkout_session")]
    OpenCheckout,
    #[strum(serialize = "expire_checkout")]
    ExpireCheckout,
    #[strum(serialize = "portal_session")]
    OpenPortal,
    #[strum(serialize = "attach_payment_method")]
    AttachPaymentMethod,
    /// Its key is the method's id: a method is detached once, and does not come back.
    #[strum(serialize = "detach_payment_method")]
    DetachPaymentMethod,
    #[strum(serialize = "payment")]
    CreatePayment,
    #[strum(serialize = "confirm_payment")]
    ConfirmPayment,
    #[strum(serialize = "capture_payment")]
    CapturePayment,
    #[strum(serialize = "cancel_payment")]
    CancelPayment,
    #[strum(serialize = "refund_payment")]
    RefundPayment,
    #[strum(serialize = "subscription_create")]
    CreateSubscription,
    #[strum(serialize = "subscription_change")]
    ChangeSubscription,
    #[strum(serialize = "subscription_cancel")]
    CancelSubscription,
    #[strum(serialize = "subscription_withdraw_cancellation")]
    WithdrawCancellation,
    #[strum(serialize = "subscription_pause")]
    PauseSubscription,
    #[strum(serialize = "subscription_resume")]
    ResumeSubscription,
    #[strum(serialize = "subscription_withdraw_change")]
    WithdrawChange,
    /// A schedule in which nothing changes yet.
    #[strum(serialize = "subscription_schedule")]
    OpenSchedule,
    /// Before something else is done at once. Its key is the schedule's id: it is released once.
    #[strum(serialize = "subscription_schedule_release")]
    ReleaseSchedule,
    /// Whether an account pays twice for what is sold once is found out, and mended. Its key is both subscriptions'
    /// ids.
    #[strum(serialize = "second_subscription")]
    EndDuplicate,
    /// Its key is the subscription.
    #[strum(serialize = "second_subscription_cancel")]
    CancelDuplicate,
    /// Its key is the payment.
    #[strum(serialize = "second_subscription_refund")]
    RefundDuplicate,
}

impl Operation {
    /// Whether it changes a subscription as its caller wants it.
    #[must_use]
    pub const fn changes_subscription(self) -> bool {
        matches!(
            self,
            Self::ChangeSubscription
                | Self::CancelSubscription
                | Self::WithdrawCancellation
                | Self::PauseSubscription
                | Self::ResumeSubscription
                | Self::WithdrawChange
        )
    }

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
