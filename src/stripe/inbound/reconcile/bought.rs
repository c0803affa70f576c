//! Was as much paid as the ledger has, and for the same? For an invoice, a pack, and a single payment.

use std::collections::BTreeMap;

use super::{
    difference::{NOTHING, ObjectDifference, paid, shown},
    report::StoredFigures,
};
use crate::domain::{
    account::OpenAccount,
    amount::Money,
    command::{RecordPackPurchase, RecordPaidInvoice},
    ids::{PlanId, ProviderId},
    invoice::{LineEffect, PaidInvoice, ReturnedCredits},
    time::Period,
};

pub(super) fn compare_invoice(
    known: Option<&OpenAccount>,
    told: &RecordPaidInvoice,
    difference: &mut ObjectDifference,
) {
    let held = known.and_then(|account| Some((account, account.payments.paid(&told.invoice)?)));
    let Some((account, money)) = held else {
        return difference.note(paid(&told.money), NOTHING);
    };
    if *money != told.money {
        difference.note_kept(paid(&told.money), paid(money), StoredFigures::Amount);
    }
    // If an invoice was paid before its lines were stored, only the total is known.
    let facts = account.subscriptions.facts();
    let mut invoices = facts.values().flat_map(|facts| facts.invoices());
    if let Some(known) = invoices.find(|known| known.invoice.invoice == told.invoice) {
        compare_lines(&known.invoice, told, difference);
    }
}

fn compare_lines(known: &PaidInvoice, told: &RecordPaidInvoice, difference: &mut ObjectDifference) {
    let mut compare = |name: &str, said: String, held: String, kept: StoredFigures| {
        if said != held {
            difference.note_kept(format!("{name} {said}"), format!("{name} {held}"), kept);
        }
    };
    if let Some(subscription) = &told.subscription {
        compare("for", subscription.to_string(), known.subscription.to_string(), StoredFigures::Purpose);
    }
    compare("total", told.total.to_string(), known.total.to_string(), StoredFigures::Amount);
    compare("credited before", told.credited.to_string(), known.credited.to_string(), StoredFigures::Amount);
    compare(
        "from the balance",
        told.from_balance.to_string(),
        known.from_balance.to_string(),
        StoredFigures::Amount,
    );
    compare("gives back", given_back(&told.gives_back), given_back(&known.gives_back), StoredFigures::Amount);
    let said =
        told.lines.iter().map(|line| (&line.plan, line.quantity, line.period, &line.cost, line.effect));
    let held =
        known.lines.iter().map(|line| (&line.plan, line.quantity, line.period, &line.cost, line.effect));
    compare("lines", lines(said), lines(held), StoredFigures::Amount);
}

/// What is given back of other invoices, in minor units.
fn given_back(of: &BTreeMap<ProviderId, ReturnedCredits>) -> String {
    let parts: Vec<String> =
        of.iter().map(|(of, given_back)| format!("{} of {of}", given_back.amount)).collect();
    if parts.is_empty() { NOTHING.to_owned() } else { parts.join(", ") }
}

type BoughtLine<'a> = (&'a PlanId, u32, Period, &'a Money, LineEffect);

/// Sorted by contents: ids of lines do not matter, and several lines may be equal.
fn lines<'a>(lines: impl Iterator<Item = BoughtLine<'a>>) -> String {
    let mut shown_lines: Vec<String> = lines
        .map(|(plan, quantity, period, cost, effect)| {
            let (start, end) = (period.start, period.end);
            format!("{}{quantity} × {plan} for {} from {start} to {end}", does(effect), shown(cost))
        })
        .collect();
    shown_lines.sort_unstable();
    if shown_lines.is_empty() { NOTHING.to_owned() } else { shown_lines.join(", ") }
}

const fn does(effect: LineEffect) -> &'static str {
    match effect {
        LineEffect::Charge => "",
        LineEffect::Credit => "given back ",
        LineEffect::Nothing => "nothing for ",
    }
}

pub(super) fn compare_purchase(
    known: Option<&OpenAccount>,
    told: &RecordPackPurchase,
    difference: &mut ObjectDifference,
) {
    let said = |money: &Money| format!("{} × {} for {}", told.quantity, told.pack, shown(money));
    let Some(account) = known.filter(|account| account.is_granted(told)) else {
        return difference.note(said(&told.money), NOTHING);
    };
    if let Some(grant) = account.grant_of(told) {
        if let Some(cost) = grant.terms.cost.as_ref().filter(|cost| **cost != told.money) {
            return difference.note_kept(
                said(&told.money),
                format!("for {}", shown(cost)),
                StoredFigures::Amount,
            );
        }
        let sold = account.sales.sold(told);
        let credits =
            sold.and_then(|sold| sold.credits.checked_mul(sold.count(told.quantity, told.subtotal.as_ref())));
        if let Some(credits) = credits.filter(|credits| *credits != grant.terms.amount) {
            let held = format!("{} credits", grant.terms.amount.get());
            difference.note_kept(format!("{} credits", credits.get()), held, StoredFigures::Amount);
        }
    }
    let whole = told.paid.as_ref().unwrap_or(&told.money);
    if let Some(known) = account.payments.paid(&told.payment).filter(|known| *known != whole) {
        difference.note_kept(paid(whole), paid(known), StoredFigures::Amount);
    }
}

/// Compares the amount of a single payment. If it paid an invoice, it is a part of the invoice's total.
pub(super) fn compare_payment(
    account: &OpenAccount,
    payment: &ProviderId,
    money: &Money,
    difference: &mut ObjectDifference,
) {
    let payments = &account.payments;
    if let Some(known) = payments.paid(payment) {
        if known != money {
            difference.note_kept(paid(money), paid(known), StoredFigures::Amount);
        }
        return;
    }
    let invoice = payments.invoice_of(payment);
    let Some((invoice, whole)) = invoice.and_then(|invoice| Some((invoice, payments.paid(invoice)?))) else {
        return;
    };
    if whole.currency != money.currency || whole.minor < money.minor {
        let held = format!("{invoice} was paid with {}", shown(whole));
        difference.note_kept(format!("{} of {invoice}", paid(money)), held, StoredFigures::Amount);
    }
}
