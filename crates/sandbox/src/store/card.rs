//! What does a test card do? Stripe's own test numbers, and the `pm_card_…` names that stand for them.

/// What happens when a card is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Succeeds,
    Refuses(Decline),
    /// The card can be attached, but every charge is declined.
    AttachesThenFails,
    /// Requires authentication until the card has been set up for off-session payments.
    AuthenticatesOnce,
    /// Requires authentication for every payment.
    AuthenticatesAlways,
    Disputes,
    /// Opens a dispute as an inquiry, which withdraws no funds.
    Inquires,
    /// A refund succeeds at first, and fails later.
    RefundsFail,
    /// A bank debit, which succeeds after some days.
    DebitSucceeds,
    DebitFails,
}

/// Why a bank declines a payment.
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
pub const STOLEN: Decline = Decline {
    code: "card_declined",
    decline_code: Some("stolen_card"),
    message: "Your card has been declined.",
};
pub const VELOCITY_EXCEEDED: Decline = Decline {
    code: "card_declined",
    decline_code: Some("card_velocity_exceeded"),
    message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
};
pub const FRAUDULENT: Decline =
    Decline { code: "card_declined", decline_code: Some("fraudulent"), message: "Your card was declined." };
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

/// A kind of payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    Card {
        brand: &'static str,
        funding: &'static str,
    },
    /// ACH direct debit, from a bank account in the United States.
    Ach,
    Sepa,
    Bacs,
}

impl MethodKind {
    /// Its `type` at Stripe.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card { .. } => "card",
            Self::Ach => "us_bank_account",
            Self::Sepa => "sepa_debit",
            Self::Bacs => "bacs_debit",
        }
    }

    /// The number of business days until a debit is decided, at most.
    pub const fn business_days(self) -> i64 {
        match self {
            Self::Card { .. } => 0,
            Self::Ach | Self::Bacs => 4,
            Self::Sepa => 14,
        }
    }
}

/// A test card or a test bank account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestCard {
    pub number: &'static str,
    /// Its name in the API, such as `pm_card_visa`.
    pub token: &'static str,
    pub kind: MethodKind,
    pub behaviour: Behaviour,
    /// What the pages say about it.
    pub shown: &'static str,
}

const fn card(
    number: &'static str,
    token: &'static str,
    behaviour: Behaviour,
    shown: &'static str,
) -> TestCard {
    of_brand(number, token, ("visa", "credit"), behaviour, shown)
}

const fn of_brand(
    number: &'static str,
    token: &'static str,
    (brand, funding): (&'static str, &'static str),
    behaviour: Behaviour,
    shown: &'static str,
) -> TestCard {
    TestCard { number, token, kind: MethodKind::Card { brand, funding }, behaviour, shown }
}

const fn debit(
    number: &'static str,
    token: &'static str,
    kind: MethodKind,
    behaviour: Behaviour,
    shown: &'static str,
) -> TestCard {
    TestCard { number, token, kind, behaviour, shown }
}

/// The numbers and names of `docs.stripe.com/testing`, and of Stripe's pages on bank debits.
pub const CARDS: &[TestCard] = &[
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
        "4000000000002685",
        "pm_card_createDisputeProductNotReceived",
        Behaviour::Disputes,
        "is disputed: nothing was received",
    ),
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
        "4000000000009979",
        "pm_card_chargeDeclinedStolenCard",
        Behaviour::Refuses(STOLEN),
        "was reported as stolen",
    ),
    card(
        "4000000000006975",
        "pm_card_chargeDeclinedVelocityLimitExceeded",
        Behaviour::Refuses(VELOCITY_EXCEEDED),
        "was used too often",
    ),
    card("4100000000000019", "pm_card_radarBlock", Behaviour::Refuses(FRAUDULENT), "is blocked as fraud"),
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
    of_brand(
        "4000056655665556",
        "pm_card_visa_debit",
        ("visa", "debit"),
        Behaviour::Succeeds,
        "succeeds (Visa debit)",
    ),
    of_brand(
        "5555555555554444",
        "pm_card_mastercard",
        ("mastercard", "credit"),
        Behaviour::Succeeds,
        "succeeds (Mastercard)",
    ),
    of_brand(
        "5200828282828210",
        "pm_card_mastercard_debit",
        ("mastercard", "debit"),
        Behaviour::Succeeds,
        "succeeds (Mastercard debit)",
    ),
    of_brand(
        "5105105105105100",
        "pm_card_mastercard_prepaid",
        ("mastercard", "prepaid"),
        Behaviour::Succeeds,
        "succeeds (Mastercard prepaid)",
    ),
    of_brand(
        "378282246310005",
        "pm_card_amex",
        ("amex", "credit"),
        Behaviour::Succeeds,
        "succeeds (American Express)",
    ),
    of_brand(
        "6011111111111117",
        "pm_card_discover",
        ("discover", "credit"),
        Behaviour::Succeeds,
        "succeeds (Discover)",
    ),
    of_brand(
        "3056930009020004",
        "pm_card_diners",
        ("diners", "credit"),
        Behaviour::Succeeds,
        "succeeds (Diners Club)",
    ),
    of_brand("3566002020360505", "pm_card_jcb", ("jcb", "credit"), Behaviour::Succeeds, "succeeds (JCB)"),
    of_brand(
        "6200000000000005",
        "pm_card_unionpay",
        ("unionpay", "credit"),
        Behaviour::Succeeds,
        "succeeds (UnionPay)",
    ),
    debit(
        "000123456789",
        "pm_usBankAccount_success",
        MethodKind::Ach,
        Behaviour::DebitSucceeds,
        "bank debit: is paid days later",
    ),
    debit(
        "000111111116",
        "pm_usBankAccount_failure",
        MethodKind::Ach,
        Behaviour::DebitFails,
        "bank debit: fails days later",
    ),
    debit(
        "000111111113",
        "pm_usBankAccount_accountClosed",
        MethodKind::Ach,
        Behaviour::DebitFails,
        "bank debit: the account is closed",
    ),
    debit(
        "000222222227",
        "pm_usBankAccount_insufficientFunds",
        MethodKind::Ach,
        Behaviour::DebitFails,
        "bank debit: has insufficient funds",
    ),
    debit(
        "DE89370400440532013000",
        "pm_success_de",
        MethodKind::Sepa,
        Behaviour::DebitSucceeds,
        "SEPA debit: is paid weeks later",
    ),
    debit(
        "DE62370400440532013001",
        "pm_failed_de",
        MethodKind::Sepa,
        Behaviour::DebitFails,
        "SEPA debit: fails weeks later",
    ),
    debit(
        "00012345",
        "pm_bacsDebit_success",
        MethodKind::Bacs,
        Behaviour::DebitSucceeds,
        "Bacs debit: is paid days later",
    ),
    debit(
        "22222227",
        "pm_bacsDebit_failure",
        MethodKind::Bacs,
        Behaviour::DebitFails,
        "Bacs debit: fails days later",
    ),
];

impl TestCard {
    pub fn by_token(token: &str) -> Option<Self> {
        CARDS.iter().find(|card| card.token == token).copied()
    }

    /// Spaces and hyphens are ignored.
    pub fn by_number(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        CARDS.iter().find(|card| card.number == digits).copied()
    }

    pub fn last4(&self) -> &'static str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// The brand of a card; empty for a bank account.
    pub const fn brand(&self) -> &'static str {
        match self.kind {
            MethodKind::Card { brand, .. } => brand,
            MethodKind::Ach | MethodKind::Sepa | MethodKind::Bacs => "",
        }
    }

    pub const fn funding(&self) -> &'static str {
        match self.kind {
            MethodKind::Card { funding, .. } => funding,
            MethodKind::Ach | MethodKind::Sepa | MethodKind::Bacs => "",
        }
    }

    /// The `type` of the payment method at Stripe.
    pub const fn kind(&self) -> &'static str {
        self.kind.as_str()
    }
}
