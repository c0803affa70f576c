//! Does an account know what an object says? What it would be told of the object is compared with what it is.
//!
//! Pure. `translate` has made commands of the object, so what is compared here are the same business facts as those
//! that events report, and no second reading of Stripe's shapes is needed.

use crate::{
    domain::{
        account::{Account, OpenAccount},
        amount::Money,
        command::Command,
        names::ProviderId,
        payments::DisputeState,
        sold::is_granted,
        subscription::{SubscriptionStatus, SubscriptionTerms},
        time::Timestamp,
    },
    stripe::translate::Step,
};

const NOTHING: &str = "nothing";

/// What Stripe says, and what the ledger says instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) stripe: Vec<String>,
    pub(super) ledger: Vec<String>,
    /// The report that holds in the ledger, and should not.
    pub(super) replaces: Option<ProviderId>,
}

impl Difference {
    pub(super) fn unknown(stripe: String) -> Self {
        let mut difference = Self::default();
        difference.note(stripe, NOTHING);
        difference
    }

    pub(super) fn note(&mut self, stripe: impl Into<String>, ledger: impl Into<String>) {
        self.stripe.push(stripe.into());
        self.ledger.push(ledger.into());
    }
}

/// `None` when the account knows all of it. A closed account goes on being told what becomes of its subscriptions and
/// payments.
pub(super) fn difference(account: &Account, steps: &[Step]) -> Option<Difference> {
    let mut difference = Difference::default();
    for step in steps {
        compare(account.opened(), &step.command, &mut difference);
    }
    (!difference.stripe.is_empty()).then_some(difference)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these say what an account has from then on")]
fn compare(known: Option<&OpenAccount>, command: &Command, difference: &mut Difference) {
    let payments = known.map(|account| &account.payments);
    let (stripe, is_known) = match command {
        Command::LinkCustomer { customer, .. } => (
            format!("{customer} is its customer"),
            known.is_some_and(|account| account.customers.contains_key(customer)),
        ),
        Command::LinkPayment { payment, invoice, .. } => (
            format!("{payment} paid {invoice}"),
            payments.is_some_and(|payments| payments.invoice_of(payment).is_some()),
        ),
        Command::RecordPaidInvoice(paid) => (
            format!("paid {}", shown(&paid.money)),
            payments.is_some_and(|payments| payments.has_succeeded(&paid.invoice)),
        ),
        Command::RecordPackPurchase(purchase) => (
            format!("{} × {} for {}", purchase.quantity, purchase.pack, shown(&purchase.money)),
            known.is_some_and(|account| is_granted(account, purchase)),
        ),
        Command::RecordRefund { refund, payment, money, effective_at } => (
            format!("{} went back", shown(money)),
            payments.is_some_and(|payments| payments.counts_refund(payment, refund, *effective_at)),
        ),
        Command::RecordFailedRefund { refund, payment, money, .. } => (
            format!("{} did not go back after all", shown(money)),
            payments.is_some_and(|payments| payments.knows_refund(payment, refund, true)),
        ),
        Command::OpenDispute { dispute, money, .. } => (
            format!("{} is disputed", shown(money)),
            payments.is_some_and(|payments| payments.dispute(dispute).is_some()),
        ),
        Command::CloseDispute { dispute, won, .. } => {
            let state = payments.and_then(|payments| payments.dispute(dispute)).map(|known| known.state);
            return compare_dispute(*won, state, difference);
        }
        Command::RecordSubscription(record) => return compare_subscription(known, &record.terms, difference),
        _ => return,
    };
    if !is_known {
        difference.note(stripe, NOTHING);
    }
}

fn compare_dispute(won: bool, known: Option<DisputeState>, difference: &mut Difference) {
    let shown = |state: DisputeState| match state {
        DisputeState::Open => "open",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
    };
    let told = if won { DisputeState::Won } else { DisputeState::Lost };
    if known != Some(told) {
        difference.note(shown(told), known.map_or(NOTHING, shown));
    }
}

/// What was told since the object was read says more than the object. An end holds for good, but if Stripe says otherwise a
/// person has to know.
fn compare_subscription(known: Option<&OpenAccount>, terms: &SubscriptionTerms, difference: &mut Difference) {
    let known = known.map(|account| account.subscriptions.known());
    let Some(held) = known.and_then(|known| known.get(&terms.subscription)) else {
        let all = facts(terms).map(|(name, value)| format!("{name} {value}"));
        difference.note(all.join(", "), NOTHING);
        return;
    };
    if held.evidence.reported_at > terms.evidence.reported_at {
        return;
    }
    difference.replaces = Some(held.evidence.id.clone());
    for ((name, stripe), (_, ledger)) in facts(terms).into_iter().zip(facts(held)) {
        if stripe != ledger {
            difference.note(format!("{name} {stripe}"), format!("{name} {ledger}"));
        }
    }
}

/// What a report says beside when it was made.
fn facts(terms: &SubscriptionTerms) -> [(&'static str, String); 8] {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    [
        ("status", status(terms.status).to_owned()),
        ("plan", terms.plan.to_string()),
        ("quantity", terms.quantity.to_string()),
        ("monthly", shown(&terms.monthly)),
        ("period", format!("{} to {}", terms.period.start, terms.period.end)),
        ("ends", time(terms.cancel_at)),
        ("trial ends", time(terms.trial_end)),
        ("collection", if terms.collection_paused { "paused" } else { "on" }.to_owned()),
    ]
}

/// The subscription as an account knows it, if it gives its plan or brings anything.
pub(super) fn running<'a>(account: &'a Account, subscription: &ProviderId) -> Option<&'a SubscriptionTerms> {
    let terms = account.opened()?.subscriptions.known().get(subscription)?;
    (terms.status.gives_access() || terms.is_revenue()).then_some(terms)
}

pub(super) const fn status(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Incomplete => "incomplete",
        SubscriptionStatus::Trialing => "trialing",
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::PastDue => "past_due",
        SubscriptionStatus::Unpaid => "unpaid",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Cancelled => "cancelled",
    }
}

/// In minor units: how many there are to a major one is for people to know.
fn shown(money: &Money) -> String {
    format!("{} {}", money.minor, money.currency)
}
