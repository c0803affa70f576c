//! What does each document of the story change, delivered to a server when it happened? Line by line, as its manifest
//! expects.

use crate::support::documents::{SHAPES, story};

/// What a document is expected to do: to itself, and to the accounts. Credits that end by the clock, or live on by it,
/// are not its doing.
pub struct Line {
    pub file: &'static str,
    /// The one shape of the API in which it does this. `None`: in both.
    pub shape: Option<&'static str>,
    /// The state of the delivery.
    pub state: &'static str,
    /// Events, then what callers see differently. The MRR is that of both accounts.
    pub changes: &'static str,
}

pub(super) const fn line(file: &'static str, state: &'static str, changes: &'static str) -> Line {
    Line { file, shape: None, state, changes }
}

const fn only(shape: &'static str, line: Line) -> Line {
    Line { shape: Some(shape), ..line }
}

const fn ignored(file: &'static str) -> Line {
    line(file, "ignored", "")
}

const fn processed(file: &'static str, changes: &'static str) -> Line {
    line(file, "processed", changes)
}

const STARTED: &str = "Ada: SubscriptionStarted; plan basic; status active; MRR 999";

pub const LINES: &[Line] = &[
    // The catalog says what is sold.
    ignored("product.created"),
    ignored("price.created"),
    ignored("product.created.creator"),
    ignored("price.created.creator"),
    ignored("product.created.team"),
    ignored("price.created.team"),
    ignored("product.created.pack_2000"),
    ignored("price.created.pack_2000"),
    ignored("product.created.pack_5500"),
    ignored("price.created.pack_5500"),
    ignored("product.updated"),
    ignored("price.updated"),
    // Ada subscribes. The payment of the invoice grants nothing, the invoice does, and once.
    processed("customer.created", "Ada: AccountOpened, CreditsGranted 50 signup, CustomerLinked; plan free"),
    ignored("payment_method.attached"),
    processed("customer.updated", ""),
    ignored("payment_intent.succeeded.subscription"),
    only("2024-04-10", ignored("customer.subscription.created")),
    only("2025-basil", processed("customer.subscription.created", STARTED)),
    only("2024-04-10", processed("customer.subscription.updated.activated", STARTED)),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_create",
            "Ada: PaymentLinked, PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_create",
            "Ada: PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month",
        ),
    ),
    processed("invoice.paid.subscription_create", ""),
    only("2025-basil", processed("invoice_payment.paid", "Ada: PaymentLinked")),
    processed("checkout.session.completed.subscription", "Ada: CheckoutCompleted"),
    // Bob tries the largest plan. His invoice of nothing is not a month of credits.
    processed(
        "customer.created.bob",
        "Bob: AccountOpened, CreditsGranted 50 signup, CustomerLinked; plan free",
    ),
    processed("customer.subscription.created.trialing", "Bob: TrialStarted; plan team; status trialing"),
    ignored("invoice.payment_succeeded.trial_zero"),
    ignored("invoice.paid.trial_zero"),
    // Ada's larger plan gives the difference for the rest of the month, never a full one.
    processed("customer.subscription.updated.plan_upgrade", "Ada: PlanChanged; plan creator; MRR 1999"),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_update",
            "Ada: PaymentLinked, PaymentSucceeded 667, InvoicePaid, CreditsGranted 666 up",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_update",
            "Ada: PaymentSucceeded 667, InvoicePaid, CreditsGranted 666 up",
        ),
    ),
    processed("invoice.paid.subscription_update", ""),
    processed("customer.subscription.trial_will_end", "Bob: TrialEndAnnounced"),
    // A pack is granted once, by its checkout.
    ignored("payment_intent.created"),
    ignored("charge.succeeded"),
    ignored("payment_intent.succeeded"),
    processed(
        "checkout.session.completed.topup",
        "Ada: CheckoutCompleted, PaymentSucceeded 2000, CreditsGranted 2000 pack",
    ),
    ignored("payment_intent.succeeded.topup_2"),
    processed(
        "checkout.session.completed.topup_2",
        "Ada: CheckoutCompleted, PaymentSucceeded 5000, CreditsGranted 5500 pack",
    ),
    // A trial that ends without a card gives no more, until somebody pays.
    processed("customer.subscription.paused", "Bob: SubscriptionPaused; plan free; status paused"),
    processed("checkout.session.completed.topup_async_unpaid", "Ada: CheckoutCompleted"),
    processed(
        "customer.subscription.resumed",
        "Bob: SubscriptionResumed; plan team; status active; MRR 4998",
    ),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.after_trial",
            "Bob: PaymentLinked, PaymentSucceeded 2999, InvoicePaid, CreditsGranted 5000 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.after_trial",
            "Bob: PaymentSucceeded 2999, InvoicePaid, CreditsGranted 5000 month",
        ),
    ),
    processed("invoice.paid.after_trial", ""),
    processed("checkout.session.expired", "Ada: CheckoutExpired"),
    processed("payment_intent.payment_failed", "Ada: PaymentFailed"),
    ignored("payment_intent.canceled"),
    processed(
        "checkout.session.async_payment_succeeded",
        "Ada: CheckoutCompleted, PaymentSucceeded 2000, CreditsGranted 2000 pack",
    ),
    processed("checkout.session.async_payment_failed", "Ada: PaymentFailed"),
    ignored("invoice.upcoming"),
    // The total of a payment and the refund itself tell of one refund.
    processed("charge.refunded", "Ada: PaymentRefunded, CreditsClawedBack 1000"),
    only("2025-basil", processed("refund.created", "Ada: RefundIssued")),
    processed("charge.dispute.created", "Ada: DisputeOpened, GrantFrozen"),
    processed("charge.dispute.funds_withdrawn", ""),
    processed("charge.refunded.rest", "Ada: PaymentRefunded, CreditsClawedBack 1000"),
    // A new period gives nothing before it is paid. Until then the clock lets what is left live on; as soon as it is
    // paid, that ended with its period.
    processed("customer.subscription.updated.renewal", "Ada: SubscriptionRenewed"),
    ignored("invoice.created"),
    // Only the first invoice of a subscription is waited for.
    processed("invoice.finalized", ""),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_cycle",
            "Ada: PaymentLinked, PaymentSucceeded 1999, InvoicePaid, GrantEndMoved month to 07-01, \
             GrantEndMoved up to 07-01, CreditsGranted 500 carry, CreditsGranted 666 carry, CreditsGranted 1500 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_cycle",
            "Ada: PaymentSucceeded 1999, InvoicePaid, GrantEndMoved month to 07-01, \
             GrantEndMoved up to 07-01, CreditsGranted 500 carry, CreditsGranted 666 carry, CreditsGranted 1500 month",
        ),
    ),
    processed("invoice.paid.subscription_cycle", ""),
    processed(
        "customer.subscription.updated.cancel_scheduled.bob",
        "Bob: CancellationScheduled; until 07-19",
    ),
    processed("customer.subscription.deleted.bob", "Bob: SubscriptionEnded; status cancelled; MRR 1999"),
    processed("charge.dispute.closed", "Ada: DisputeClosed, GrantUnfrozen, CreditsClawedBack 5500"),
    // The price says Basic, and the metadata, which still says Creator, is not believed.
    processed("customer.subscription.updated.plan_downgrade", "Ada: PlanChanged; plan basic; MRR 999"),
    processed("invoice.payment_failed", "Ada: PaymentFailed, InvoiceUnpaid"),
    // What is left of July lives as long as the grace does.
    processed(
        "customer.subscription.updated.past_due",
        "Ada: SubscriptionPastDue, GrantEndMoved carry to 08-04, GrantEndMoved carry to 08-04, \
         GrantEndMoved month to 08-04; status past_due",
    ),
    // Three days of grace are over by now, to the second: the clock has taken the plan, and paying gives it back.
    processed("invoice.payment_action_required", "Ada: PaymentActionRequired"),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.recovered",
            "Ada: PaymentLinked, PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month, CreditsGranted 500 carry; plan basic",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.recovered",
            "Ada: PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month, CreditsGranted 500 carry; plan basic",
        ),
    ),
    processed("invoice.paid.recovered", ""),
    processed("customer.subscription.updated.recovered", "Ada: SubscriptionRecovered; status active"),
    // Active as before, and yet paused.
    processed(
        "customer.subscription.updated.pause_collection",
        "Ada: SubscriptionPaused; collection paused; MRR 0",
    ),
    processed(
        "customer.subscription.updated.pause_collection_cleared",
        "Ada: SubscriptionResumed; collection goes on; MRR 999",
    ),
    processed(
        "customer.subscription.updated.cancel_at_period_end",
        "Ada: CancellationScheduled; until 09-01",
    ),
    processed("customer.subscription.deleted", "Ada: SubscriptionEnded; status cancelled; MRR 0"),
    ignored("payment_method.detached"),
    processed("customer.deleted", "Ada: CustomerUnlinked"),
];

#[test]
fn each_line_is_about_a_document() {
    for line in LINES {
        let file = format!("{}.json", line.file);
        for shape in SHAPES.into_iter().filter(|shape| line.shape.is_none_or(|only| only == *shape)) {
            assert!(story(shape).contains(&file), "{shape}/{file}");
        }
    }
}
