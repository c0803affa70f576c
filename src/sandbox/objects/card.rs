//! What does a test card do? Stripe's own test numbers, and the `pm_card_…` names that stand for them.

/// What happens when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Succeeds,
    Refuses(Decline),
    /// It can be attached; every charge is declined.
    AttachesThenFails,
    /// It asks for authentication until it has been set up for payments without the customer.
    AuthenticatesOnce,
    /// It asks for authentication at each payment.
    AuthenticatesAlways,
    Disputes,
    /// A dispute that begins as an inquiry: no money is taken back.
    Inquires,
    /// A refund succeeds at first, and fails later.
    RefundsFail,
    /// A bank debit: it takes days, and succeeds.
    DebitSucceeds,
    DebitFails,
}

/// Why a bank says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

pub const DECLINED: Decline = Decline {
    code: "card_declined",
    decline_code: Some("generic_decline"),
    message: "Your card was declined.",
};
pub const INSUFFICIENT_FUNDS: Decline = Decline {
    code: "card_declined",
    decline_code: Some("insufficient_funds"),
    message: "Your card has insufficient funds.",
};
pub const EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: Some("expired_card"), message: "Your card has expired." };
pub const LOST: Decline = Decline {
    code: "card_declined",
    decline_code: Some("lost_card"),
    message: "Your card has been declined.",
};
pub const INCORRECT_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: Some("incorrect_cvc"),
    message: "Your card's security code is incorrect.",
};
pub const PROCESSING_ERROR: Decline = Decline {
    code: "processing_error",
    decline_code: Some("processing_error"),
    message: "An error occurred while processing your card. Try again in a little bit.",
};
pub const DEBIT_FAILED: Decline = Decline {
    code: "payment_method_customer_decline",
    decline_code: None,
    message: "The bank returned the debit.",
};
pub const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    message: "Your card was declined. This transaction requires authentication.",
};
pub const AUTHENTICATION_FAILED: Decline = Decline {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
};

/// A card that can be used in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestCard {
    pub number: &'static str,
    /// What the API calls it.
    pub token: &'static str,
    pub brand: &'static str,
    pub behaviour: Behaviour,
    /// What a person is told about it.
    pub shown: &'static str,
}

const fn card(
    number: &'static str,
    token: &'static str,
    behaviour: Behaviour,
    shown: &'static str,
) -> TestCard {
    TestCard { number, token, brand: "visa", behaviour, shown }
}

pub const CARDS: [TestCard; 17] = [
    card("4242424242424242", "pm_card_visa", Behaviour::Succeeds, "succeeds"),
    card("4000000000000002", "pm_card_chargeDeclined", Behaviour::Refuses(DECLINED), "is declined"),
    card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        Behaviour::Refuses(INSUFFICIENT_FUNDS),
        "has insufficient funds",
    ),
    card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", Behaviour::Refuses(EXPIRED), "is expired"),
    card(
        "4000000000000341",
        "pm_card_chargeCustomerFail",
        Behaviour::AttachesThenFails,
        "attaches, then fails",
    ),
    card(
        "4000002500003155",
        "pm_card_authenticationRequiredOnSetup",
        Behaviour::AuthenticatesOnce,
        "needs authentication once",
    ),
    card(
        "4000002760003184",
        "pm_card_authenticationRequired",
        Behaviour::AuthenticatesAlways,
        "needs authentication each time",
    ),
    card(
        "4000000000003220",
        "pm_card_threeDSecure2Required",
        Behaviour::AuthenticatesAlways,
        "needs 3-D Secure each time",
    ),
    card("4000000000000259", "pm_card_createDispute", Behaviour::Disputes, "is disputed afterwards"),
    card(
        "4000000000001976",
        "pm_card_createDisputeInquiry",
        Behaviour::Inquires,
        "is inquired about afterwards",
    ),
    card("4000000000005126", "pm_card_refundFail", Behaviour::RefundsFail, "refunds of it fail later"),
    card(
        "4000000000009987",
        "pm_card_chargeDeclinedLostCard",
        Behaviour::Refuses(LOST),
        "was reported as lost",
    ),
    card(
        "4000000000000127",
        "pm_card_chargeDeclinedIncorrectCvc",
        Behaviour::Refuses(INCORRECT_CVC),
        "has another security code",
    ),
    card(
        "4000000000000119",
        "pm_card_chargeDeclinedProcessingError",
        Behaviour::Refuses(PROCESSING_ERROR),
        "meets a processing error",
    ),
    TestCard {
        number: "5555555555554444",
        token: "pm_card_mastercard",
        brand: "mastercard",
        behaviour: Behaviour::Succeeds,
        shown: "succeeds (Mastercard)",
    },
    card(
        "000123456789",
        "pm_usBankAccount_success",
        Behaviour::DebitSucceeds,
        "bank debit: is paid days later",
    ),
    card("000111111116", "pm_usBankAccount_failure", Behaviour::DebitFails, "bank debit: fails days later"),
];

impl TestCard {
    pub fn by_token(token: &str) -> Option<Self> {
        CARDS.into_iter().find(|card| card.token == token)
    }

    /// Spaces and hyphens between digits do not count.
    pub fn by_number(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        CARDS.into_iter().find(|card| card.number == digits)
    }

    pub fn last4(&self) -> &'static str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or_default()
    }

    pub const fn is_debit(&self) -> bool {
        matches!(self.behaviour, Behaviour::DebitSucceeds | Behaviour::DebitFails)
    }

    /// What Stripe calls its kind.
    pub const fn kind(&self) -> &'static str {
        if self.is_debit() { "us_bank_account" } else { "card" }
    }
}
