//! Which types of events are there, and what does each do?
//! This is the only table: [`find`] translates events with it, and `docs/STRIPE.md` is generated from it.
//!
//! Types that are not in it change nothing, and are stored as ignored.

use super::{
    Translation, TranslationContext, checkout, credit_note, customer, discount, dispute, invoice, payment,
    refund, report, subscription,
};

/// A type of event.
pub struct EventKind {
    pub name: &'static str,
    /// Whether the webhook endpoint should have it. The others are handled if they are sent.
    pub is_subscribed: bool,
    pub(super) effect: Effect,
}

#[derive(Clone, Copy)]
pub(super) enum Effect {
    Handled {
        by: for<'a> fn(TranslationContext<'a>) -> Translation,
        /// What it does, for people.
        does: &'static str,
    },
    /// It changes nothing in the ledger, with the reason.
    Ignored(&'static str),
}

impl EventKind {
    /// Whether it does something, and what; or why it does nothing.
    #[must_use]
    pub const fn effect(&self) -> (bool, &'static str) {
        match self.effect {
            Effect::Handled { does, .. } => (true, does),
            Effect::Ignored(because) => (false, because),
        }
    }

    const fn unasked(self) -> Self {
        Self { is_subscribed: false, ..self }
    }
}

#[must_use]
pub fn find(name: &str) -> Option<&'static EventKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

const fn handled(
    name: &'static str,
    by: for<'a> fn(TranslationContext<'a>) -> Translation,
    does: &'static str,
) -> EventKind {
    EventKind { name, is_subscribed: true, effect: Effect::Handled { by, does } }
}

const fn ignored(name: &'static str, because: &'static str) -> EventKind {
    EventKind { name, is_subscribed: true, effect: Effect::Ignored(because) }
}

const UNPAID_INVOICE: &str = "an invoice gives nothing before it is paid";
const NEVER_PAID_INVOICE: &str = "the money will not come: no plan and no MRR for its period, whatever the subscription's \
                                  status says; of a change inside of a period, nothing of what it brings";
const CREDIT_NOTE: &str = "takes back credits by the share that was put on the customer's balance or given back outside \
                           of Stripe";
const DISCOUNT: &str = "of a customer: comes off the MRR of its subscriptions that have no discounts of their own, from its \
                        start on, if it lasts for ever";
const CARD: &str = "a card changes no credits";
const CATALOG: &str = "the catalog says what is sold, and not what is listed at Stripe";
const NO_MONEY: &str = "no money has moved";
const REPORT: &str = "the subscription's terms as they are now: plan, quantity, period, end, pause, MRR; the newest \
                      report holds";
const DISPUTED: &str = "the dispute's status decides: open freezes what is left, lost or prevented takes back, won \
                        releases, an inquiry does nothing";

/// By subject, in the order of Stripe's documentation of events.
pub const KINDS: &[EventKind] = &[
    handled(
        "checkout.session.completed",
        checkout::completed,
        "links the customer; packs are granted if the session is paid, by its items or its metadata",
    ),
    handled("checkout.session.async_payment_succeeded", checkout::paid_later, "grants the packs"),
    handled("checkout.session.async_payment_failed", checkout::failed_later, "records the failed payment"),
    handled("checkout.session.expired", checkout::expired, "records that nothing was bought"),
    handled(
        "customer.created",
        customer::known,
        "links the customer to the account that its metadata names; the discount that it shows counts, too",
    ),
    handled(
        "customer.updated",
        customer::known,
        "the same, as far as the metadata names an account, or the discount is another one",
    ),
    handled("customer.deleted", customer::gone, "closes the link; the ledger stays"),
    handled("customer.discount.created", discount::begun, DISCOUNT),
    handled("customer.discount.updated", discount::begun, DISCOUNT),
    handled("customer.discount.deleted", discount::ended, "of a customer: no longer reduces the MRR"),
    handled("customer.subscription.created", report::reported, REPORT),
    handled("customer.subscription.updated", report::reported, REPORT),
    handled("customer.subscription.deleted", report::reported, "the subscription has ended; packs stay"),
    handled("customer.subscription.paused", report::reported, "no plan and no MRR until it is resumed"),
    handled("customer.subscription.resumed", report::reported, "the plan holds again"),
    handled(
        "customer.subscription.trial_will_end",
        subscription::trial_will_end,
        "records that the trial ends soon",
    ),
    ignored("invoice.created", UNPAID_INVOICE),
    handled(
        "invoice.finalized",
        invoice::finalized,
        "of a subscription's first invoice, or of a change's: nothing of the plan before its money has come, unless `payments.trust_processing`",
    ),
    ignored("invoice.updated", UNPAID_INVOICE).unasked(),
    ignored("invoice.upcoming", UNPAID_INVOICE).unasked(),
    handled("invoice.paid", invoice::paid, "grants what the lines pay for: periods, and changes of plan"),
    handled("invoice.payment_succeeded", invoice::paid, "the same as `invoice.paid`, once for both"),
    handled(
        "invoice.payment_failed",
        invoice::failed,
        "records the failed payment; the grace follows the status",
    ),
    handled(
        "invoice.payment_action_required",
        invoice::action_required,
        "records that the customer has to confirm the payment",
    ),
    handled("invoice.voided", invoice::voided, NEVER_PAID_INVOICE),
    handled("invoice.marked_uncollectible", invoice::uncollectible, NEVER_PAID_INVOICE),
    handled(
        "invoice_payment.paid",
        payment::of_invoice,
        "remembers which payment paid the invoice, for refunds and disputes",
    ),
    ignored("payment_intent.created", NO_MONEY).unasked(),
    ignored("payment_intent.processing", NO_MONEY).unasked(),
    ignored("payment_intent.requires_action", NO_MONEY).unasked(),
    handled(
        "payment_intent.succeeded",
        payment::succeeded,
        "grants a pack that was sold without a checkout (`metadata.kind=topup` with `quantity`)",
    ),
    handled("payment_intent.payment_failed", payment::failed, "records the failed payment of a pack"),
    ignored("payment_intent.canceled", NO_MONEY),
    ignored("charge.succeeded", "the invoice, the session or the payment reports the same money").unasked(),
    handled("charge.refunded", refund::total, "takes back credits by the share that was refunded in all"),
    handled("refund.created", refund::single, "takes back credits by the share of this refund"),
    handled(
        "refund.updated",
        refund::single,
        "gives back what was taken, if the refund failed or was cancelled",
    ),
    handled("refund.failed", refund::single, "gives back what was taken"),
    handled("charge.refund.updated", refund::single, "the same as `refund.updated`, as it was called before")
        .unasked(),
    handled("credit_note.created", credit_note::reported, CREDIT_NOTE),
    handled("credit_note.updated", credit_note::reported, CREDIT_NOTE),
    handled("credit_note.voided", credit_note::reported, "gives back what the note took"),
    handled("charge.dispute.created", dispute::reported, DISPUTED),
    handled("charge.dispute.updated", dispute::reported, DISPUTED),
    handled("charge.dispute.funds_withdrawn", dispute::reported, DISPUTED),
    handled("charge.dispute.funds_reinstated", dispute::reported, DISPUTED),
    handled("charge.dispute.closed", dispute::reported, DISPUTED),
    ignored("payment_method.attached", CARD),
    ignored("payment_method.detached", CARD),
    ignored("payment_method.updated", CARD).unasked(),
    ignored("product.created", CATALOG),
    ignored("product.updated", CATALOG),
    ignored("product.deleted", CATALOG),
    ignored("price.created", CATALOG),
    ignored("price.updated", CATALOG),
    ignored("price.deleted", CATALOG),
    ignored("plan.created", CATALOG).unasked(),
    ignored("plan.updated", CATALOG).unasked(),
    ignored("plan.deleted", CATALOG).unasked(),
];
