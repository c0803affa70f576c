//! Does an account know what an object says?
//! The commands that the object would cause are compared with the account's state.
//!
//! These are pure functions.
//! `translate` has made commands of the object, so the same facts are compared that events report, and Stripe's objects
//! are not read in a second way.

use super::{
    bought::{compare_invoice, compare_purchase},
    difference::{NOTHING, ObjectDifference, note, paid, shown, state, status, unpaid, went_back},
    report::StoredFigures,
};
use crate::{
    domain::{
        account::{Account, CustomerLink, OpenAccount},
        amount::Money,
        catalog::Catalog,
        command::{
            CheckoutStep, Command, CustomerCommand, PaymentCommand, PurchaseCommand, RecordCheckout,
            SubscriptionCommand,
        },
        ids::ProviderId,
        invoice::{InvoiceState, UnpaidInvoice},
        payments::{CreditNote, Dispute, DisputeState, PaymentRecords, Single},
        subscription::SubscriptionState,
        time::Timestamp,
    },
    stripe::translate::TranslationStep,
};

/// The difference between the object and the account. `None`: there is none.
/// Closed accounts are compared, too, since reports on their subscriptions and payments are still recorded.
pub(super) fn difference(
    account: &Account,
    steps: &[TranslationStep],
    catalog: &Catalog,
) -> Option<ObjectDifference> {
    let mut difference = ObjectDifference::default();
    for step in steps.iter().filter(|step| !is_trusted(&step.command, catalog)) {
        compare(account.opened(), &step.command, &mut difference);
    }
    difference.found()
}

/// Whether it reports money on its way that the catalog trusts to arrive.
fn is_trusted(command: &Command, catalog: &Catalog) -> bool {
    let waits = |invoice: &UnpaidInvoice| invoice.state == InvoiceState::Open;
    catalog.payments.trust_processing
        && matches!(command, Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, .. }) if waits(invoice))
}

/// Only compares what lasts, and not what has since passed.
fn compare(known: Option<&OpenAccount>, command: &Command, difference: &mut ObjectDifference) {
    match command {
        Command::Customer(command) => compare_customer(known, command, difference),
        Command::Subscription(SubscriptionCommand::RecordSubscription(record)) => {
            compare_subscription(known, &record.terms, difference);
        }
        Command::Purchase(command) => compare_purchases(known, command, difference),
        Command::Payment(command) => {
            compare_payment(known.map(|account| &account.payments), command, difference);
        }
        Command::Subscription(
            SubscriptionCommand::RecordRequestedChange(_) | SubscriptionCommand::AnnounceTrialEnd { .. },
        )
        | Command::Account(_)
        | Command::Credits(_) => {}
    }
}

fn compare_customer(
    known: Option<&OpenAccount>,
    command: &CustomerCommand,
    difference: &mut ObjectDifference,
) {
    let link = |customer: &ProviderId| known.and_then(|account| account.customers.get(customer));
    match command {
        CustomerCommand::LinkCustomer { customer, .. } => {
            if link(customer).is_none() {
                difference.note(format!("{customer} is the account's customer"), NOTHING);
            }
        }
        CustomerCommand::UnlinkCustomer { customer, .. } => {
            if link(customer) == Some(&CustomerLink::Linked) {
                difference.note("deleted", "it is the account's customer");
            }
        }
        CustomerCommand::RecordDiscount(_) => {}
    }
}

fn compare_purchases(
    known: Option<&OpenAccount>,
    command: &PurchaseCommand,
    difference: &mut ObjectDifference,
) {
    match command {
        PurchaseCommand::RecordPaidInvoice(paid) => compare_invoice(known, paid, difference),
        PurchaseCommand::RecordUnpaidInvoice { invoice, .. } => compare_unpaid(known, invoice, difference),
        PurchaseCommand::RecordPackPurchase(purchase) => compare_purchase(known, purchase, difference),
        PurchaseCommand::RecordCheckout(checkout) => compare_page(known, checkout, difference),
        PurchaseCommand::RecordFailedPayment { .. } | PurchaseCommand::RecordActionRequired { .. } => {}
    }
}

fn compare_payment(
    known: Option<&PaymentRecords>,
    command: &PaymentCommand,
    difference: &mut ObjectDifference,
) {
    match command {
        PaymentCommand::LinkPayment { payment, invoice, .. } => {
            let said = |invoice: &ProviderId| format!("{payment} paid {invoice}");
            match known.and_then(|payments| payments.invoice_of(payment)) {
                None => difference.note(said(invoice), NOTHING),
                Some(known) if known != invoice => {
                    difference.note_kept(said(invoice), said(known), StoredFigures::Purpose);
                }
                Some(_) => {}
            }
        }
        PaymentCommand::RecordRefund { refund, payment, money, effective_at } => {
            let of = known.and_then(|payments| payments.refunded_by(refund));
            if notes_another("refund", payment, of, difference) {
                return;
            }
            match known.and_then(|payments| payments.find_refund(payment, refund)) {
                Some(known) => compare_refund(money, false, known, difference),
                None => {
                    let total = known.and_then(|payments| payments.refunded_since(payment, *effective_at));
                    compare_total(money, total, difference);
                }
            }
        }
        PaymentCommand::RecordFailedRefund { refund, payment, money, .. } => {
            let of = known.and_then(|payments| payments.refunded_by(refund));
            if notes_another("refund", payment, of, difference) {
                return;
            }
            match known.and_then(|payments| payments.find_refund(payment, refund)) {
                Some(known) => compare_refund(money, true, known, difference),
                None => difference.note(went_back(money, true), NOTHING),
            }
        }
        PaymentCommand::RecordCreditNote { note, invoice, money, voided, .. } => {
            let of = known.and_then(|payments| payments.credited_by(note));
            if notes_another("credit note", invoice, of, difference) {
                return;
            }
            let known = known.and_then(|payments| payments.find_note(invoice, note));
            compare_note(money, *voided, known, difference);
        }
        PaymentCommand::OpenDispute { dispute, payment, money, .. } => {
            let known = known.and_then(|payments| payments.dispute(dispute));
            compare_dispute((DisputeState::Open, payment), Some(money), known, difference);
        }
        PaymentCommand::CloseDispute { dispute, payment, won, money, .. } => {
            let known = known.and_then(|payments| payments.dispute(dispute));
            let told = if *won { DisputeState::Won } else { DisputeState::Lost };
            compare_dispute((told, payment), money.as_ref(), known, difference);
        }
        // Single refunds are compared instead.
        PaymentCommand::RecordRefundedPayment { .. } => {}
    }
}

/// Of a page, only until when it can be paid on is stored.
fn compare_page(known: Option<&OpenAccount>, told: &RecordCheckout, difference: &mut ObjectDifference) {
    let said = match told.step {
        CheckoutStep::Completed { .. } => "completed",
        CheckoutStep::Expired => "expired",
        CheckoutStep::Started => return,
    };
    if known.is_some_and(|account| account.sales.is_open(&told.session)) {
        difference.note(said, "open");
    }
}

/// That the invoice of a renewal awaits its payment does not matter.
fn compare_unpaid(known: Option<&OpenAccount>, told: &UnpaidInvoice, difference: &mut ObjectDifference) {
    let said = unpaid(told.state);
    if let Some(paid_with) = known.and_then(|account| account.payments.paid(&told.invoice)) {
        return difference.note_kept(said, paid(paid_with), StoredFigures::Amount);
    }
    let facts = known.and_then(|account| account.subscriptions.facts().get(&told.subscription));
    let Some(held) = facts.and_then(|facts| facts.unpaid_invoice(&told.invoice)) else {
        let has_paid = facts.is_some_and(|facts| facts.has_paid());
        if told.state != InvoiceState::Open || told.is_change || !has_paid || told.from_balance > 0 {
            difference.note(said, NOTHING);
        }
        return;
    };
    if held.state < told.state {
        difference.note(said, unpaid(held.state));
    } else if held.state != told.state && held.state.is_final() {
        difference.note_kept(said, unpaid(held.state), StoredFigures::End);
    } else if held.charges != told.charges {
        difference.note_kept(charges(told), charges(held), StoredFigures::Amount);
    } else if held.from_balance != told.from_balance {
        let from_balance = |invoice: &UnpaidInvoice| format!("from the balance {}", invoice.from_balance);
        difference.note_kept(from_balance(told), from_balance(held), StoredFigures::Amount);
    }
}

fn charges(invoice: &UnpaidInvoice) -> String {
    let charges = invoice.charges.iter();
    let shown: Vec<String> = charges
        .map(|charge| format!("{} from {} to {}", charge.plan, charge.period.start, charge.period.end))
        .collect();
    shown.join(", ")
}

/// Records if it is known as the refund of another payment or invoice, which leaves nothing else to compare.
fn notes_another(
    what: &str,
    told: &ProviderId,
    known: Option<&ProviderId>,
    difference: &mut ObjectDifference,
) -> bool {
    let of = |bought: &ProviderId| format!("a {what} of {bought}");
    let another = known.filter(|known| *known != told);
    if let Some(known) = another {
        difference.note_kept(of(told), of(known), StoredFigures::Purpose);
    }
    another.is_some()
}

fn compare_refund(money: &Money, failed: bool, known: &Single, difference: &mut ObjectDifference) {
    let known_failed = known.failed_at.is_some();
    let (said, held) = (went_back(money, failed), went_back(&known.money, known_failed));
    match (known.money == *money, failed, known_failed) {
        (false, _, _) => difference.note_kept(said, held, StoredFigures::Amount),
        (true, false, true) => difference.note_kept(said, held, StoredFigures::End),
        (true, true, false) => difference.note(said, held),
        (true, false, false) | (true, true, true) => {}
    }
}

/// A refund that is not known itself is included in a total that was reported after it was made.
fn compare_total(money: &Money, total: Option<i64>, difference: &mut ObjectDifference) {
    let said = went_back(money, false);
    match total {
        None => difference.note(said, NOTHING),
        Some(total) if total < money.minor => {
            difference.note(said, format!("{total} {} went back in all", money.currency));
        }
        Some(_) => {}
    }
}

fn compare_note(money: &Money, voided: bool, known: Option<&CreditNote>, difference: &mut ObjectDifference) {
    let said = note(money, voided);
    match known {
        None => difference.note(said, NOTHING),
        Some(known) if known.money != *money => {
            difference.note_kept(said, note(&known.money, known.voided), StoredFigures::Amount);
        }
        Some(known) if known.voided && !voided => {
            difference.note_kept(said, note(&known.money, true), StoredFigures::End);
        }
        Some(known) if voided && !known.voided => difference.note(said, note(&known.money, false)),
        Some(_) => {}
    }
}

/// Compares the end of a dispute. That it has not ended is not compared.
fn compare_dispute(
    (told, payment): (DisputeState, &ProviderId),
    money: Option<&Money>,
    known: Option<&Dispute>,
    difference: &mut ObjectDifference,
) {
    let Some(known) = known else {
        return difference.note(state(told), NOTHING);
    };
    if notes_another("dispute", payment, Some(&known.payment), difference) {
        return;
    }
    if known.state != told {
        match told {
            DisputeState::Open => difference.note_kept(state(told), state(known.state), StoredFigures::End),
            DisputeState::Won | DisputeState::Lost => difference.note(state(told), state(known.state)),
        }
    } else if let Some((money, known)) = money.zip(known.amount.as_ref()).filter(|(said, held)| said != held)
    {
        let said = |money: &Money| format!("{} disputed", shown(money));
        difference.note_kept(said(money), said(known), StoredFigures::Amount);
    }
}

/// A report that is newer than the object says more than it does.
/// A subscription that has ended stays ended in the ledger, but if Stripe says otherwise an operator has to know.
fn compare_subscription(
    known: Option<&OpenAccount>,
    terms: &SubscriptionState,
    difference: &mut ObjectDifference,
) {
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
    let ended = held.ended_at.is_some() && terms.ended_at.is_none();
    for ((name, stripe), (_, ledger)) in facts(terms).into_iter().zip(facts(held)) {
        let (said, known) = (format!("{name} {stripe}"), format!("{name} {ledger}"));
        match stripe == ledger {
            true => {}
            false if ended => difference.note_kept(said, known, StoredFigures::End),
            false => difference.note(said, known),
        }
    }
}

/// The contents of a report, without its time.
fn facts(terms: &SubscriptionState) -> [(&'static str, String); 8] {
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

/// The subscription as an account has it, if it gives its plan or has revenue.
pub(super) fn running<'a>(account: &'a Account, subscription: &ProviderId) -> Option<&'a SubscriptionState> {
    let terms = account.opened()?.subscriptions.known().get(subscription)?;
    (terms.status.gives_access() || terms.is_revenue()).then_some(terms)
}
