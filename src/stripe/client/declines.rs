//! What can a person do after a payment was declined?
//!
//! The codes are Stripe's, and the remedies are a few things that a front end can act on.
//! An unknown code is treated as a general decline by the bank.

use strum::IntoStaticStr;

use super::Rejection;

/// What can help after a decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Remedy {
    AnotherMethod,
    CorrectDetails,
    CallBank,
    Authenticate,
    TryAgain,
    TryLater,
}

impl Remedy {
    pub const ALL: [Self; 6] = [
        Self::AnotherMethod,
        Self::CorrectDetails,
        Self::CallBank,
        Self::Authenticate,
        Self::TryAgain,
        Self::TryLater,
    ];

    /// Stable: front ends branch on it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// A sentence for the person.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::AnotherMethod => "Nothing was charged. Use another way to pay.",
            Self::CorrectDetails => "Nothing was charged. Correct the card's details and try again.",
            Self::CallBank => {
                "Nothing was charged. Call the bank that gave out the card, or use another way to pay."
            }
            Self::Authenticate => {
                "Nothing was charged. The bank wants to know that it is you: confirm the payment in the browser, or on \
                 a page."
            }
            Self::TryAgain => "Nothing was charged. Try again; if that fails, use another way to pay.",
            Self::TryLater => "Nothing was charged. Try again in a day, or use another way to pay.",
        }
    }
}

/// Each of Stripe's decline codes, and the error codes that come without one.
///
/// If a card is reported as lost or stolen, or fraud is suspected, the person gets the same advice as for any other
/// card.
pub const DECLINES: &[(&str, Remedy)] = &[
    ("approve_with_id", Remedy::TryAgain),
    ("authentication_not_handled", Remedy::Authenticate),
    ("authentication_required", Remedy::Authenticate),
    ("call_issuer", Remedy::CallBank),
    ("card_not_supported", Remedy::AnotherMethod),
    ("card_velocity_exceeded", Remedy::TryLater),
    ("currency_not_supported", Remedy::AnotherMethod),
    ("do_not_honor", Remedy::CallBank),
    ("do_not_try_again", Remedy::AnotherMethod),
    ("duplicate_transaction", Remedy::TryLater),
    ("expired_card", Remedy::AnotherMethod),
    ("fraudulent", Remedy::AnotherMethod),
    ("generic_decline", Remedy::CallBank),
    ("incorrect_address", Remedy::CorrectDetails),
    ("incorrect_cvc", Remedy::CorrectDetails),
    ("incorrect_number", Remedy::CorrectDetails),
    ("incorrect_pin", Remedy::CorrectDetails),
    ("incorrect_zip", Remedy::CorrectDetails),
    ("insufficient_funds", Remedy::AnotherMethod),
    ("invalid_account", Remedy::CallBank),
    ("invalid_amount", Remedy::CallBank),
    ("invalid_cvc", Remedy::CorrectDetails),
    ("invalid_expiry_month", Remedy::CorrectDetails),
    ("invalid_expiry_year", Remedy::CorrectDetails),
    ("invalid_number", Remedy::CorrectDetails),
    ("invalid_pin", Remedy::CorrectDetails),
    ("issuer_not_available", Remedy::TryAgain),
    ("lost_card", Remedy::AnotherMethod),
    ("merchant_blacklist", Remedy::AnotherMethod),
    ("new_account_information_available", Remedy::CallBank),
    ("no_action_taken", Remedy::CallBank),
    ("not_permitted", Remedy::CallBank),
    ("offline_pin_required", Remedy::AnotherMethod),
    ("online_or_offline_pin_required", Remedy::AnotherMethod),
    ("payment_intent_authentication_failure", Remedy::Authenticate),
    ("payment_method_customer_decline", Remedy::AnotherMethod),
    ("payment_method_provider_decline", Remedy::AnotherMethod),
    ("payment_method_provider_timeout", Remedy::TryAgain),
    ("pickup_card", Remedy::AnotherMethod),
    ("pin_try_exceeded", Remedy::AnotherMethod),
    ("processing_error", Remedy::TryAgain),
    ("reenter_transaction", Remedy::TryAgain),
    ("restricted_card", Remedy::AnotherMethod),
    ("revocation_of_all_authorizations", Remedy::CallBank),
    ("revocation_of_authorization", Remedy::CallBank),
    ("security_violation", Remedy::CallBank),
    ("service_not_allowed", Remedy::CallBank),
    ("stolen_card", Remedy::AnotherMethod),
    ("stop_payment_order", Remedy::CallBank),
    ("subscription_payment_intent_requires_action", Remedy::Authenticate),
    ("testmode_decline", Remedy::AnotherMethod),
    ("transaction_not_allowed", Remedy::CallBank),
    ("try_again_later", Remedy::TryAgain),
    ("withdrawal_count_limit_exceeded", Remedy::AnotherMethod),
];

/// What can help after a decline, by the bank's code, or else by Stripe's.
#[must_use]
pub fn remedy(decline_code: Option<&str>, code: Option<&str>) -> Remedy {
    let known = [decline_code, code].into_iter().flatten().find_map(|code| {
        let index = DECLINES.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
        DECLINES.get(index).map(|(_, remedy)| *remedy)
    });
    known.unwrap_or(Remedy::CallBank)
}

impl Rejection {
    /// What can help. `None`: Stripe refused the request, and not the bank.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        self.declined.then(|| remedy(self.decline_code.as_deref(), self.code.as_deref()))
    }
}
