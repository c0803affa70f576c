//! Which part of the customer's balance was never paid for?
//! Invoices, credit notes and payments are followed in the order in which they changed it.

use std::collections::BTreeMap;

use super::{Lack, Unbacked, UnpaidPart};
use crate::{
    facts::Facts,
    ids::ProviderId,
    invoice::{InvoiceState, PaidInvoice, UnpaidInvoice},
    months::KnownInvoice,
    payments::{PaymentRecords, Returned},
    time::Timestamp,
};

/// Finds what has no money behind it, over all subscriptions of an account, since they share the customer's balance.
pub(crate) fn find<'f>(facts: impl Iterator<Item = &'f Facts>, payments: &PaymentRecords) -> Unbacked {
    let facts: Vec<&Facts> = facts.collect();
    let invoices: Vec<&KnownInvoice> = facts.iter().flat_map(|facts| facts.invoices()).collect();
    let gives_back = invoices.iter().any(|known| !known.invoice.gives_back.is_empty());
    if !gives_back && payments.notes().next().is_none() {
        return Unbacked::default();
    }
    let of_unpaid = facts.iter().flat_map(|facts| facts.unpaid_invoices()).flat_map(BalanceEvent::of_unpaid);
    let noted = payments.notes().map(|(invoice, at, minor)| (at, BalanceEvent::Noted(invoice, minor)));
    let turns = invoices.iter().map(|known| BalanceEvent::of_paid(known)).chain(of_unpaid).chain(noted);
    let unpaid = facts.iter().flat_map(|facts| facts.given_back_unpaid());
    let mut search = Search {
        payments,
        parts: BTreeMap::new(),
        lacks: unpaid.map(|invoice| (invoice.clone(), Lack::ALL)).collect(),
        balance: 0,
        in_unpaid: BTreeMap::new(),
        behind_notes: BTreeMap::new(),
    };
    for turn in in_order(turns.collect()) {
        search.take(turn);
    }
    let Search { parts, mut lacks, .. } = search;
    let given_back =
        |invoice: &ProviderId| invoices.iter().any(|known| known.invoice.gives_back.contains_key(invoice));
    lacks.retain(|invoice, lack| lack.amount > 0 && given_back(invoice));
    Unbacked { parts, lacks }
}

/// A change of the customer's balance, or something that gives back a part of another invoice.
#[derive(Clone, Copy)]
enum BalanceEvent<'f> {
    Paid(&'f PaidInvoice),
    /// An invoice whose remaining amount is not paid.
    Waits(&'f UnpaidInvoice),
    /// A void invoice: what the balance paid of it is returned to the balance.
    Void(&'f UnpaidInvoice),
    /// A credit note of this amount on a paid invoice.
    Noted(&'f ProviderId, i64),
}

impl<'f> BalanceEvent<'f> {
    /// A paid invoice, with its time.
    /// The balance changes when the invoice is finalized, however much later the rest of its money comes.
    fn of_paid(known: &'f KnownInvoice) -> (Timestamp, Self) {
        let invoice = &known.invoice;
        (invoice.finalized_at.unwrap_or(known.paid_at), Self::Paid(invoice))
    }

    fn of_unpaid((invoice, since): (&'f UnpaidInvoice, Timestamp)) -> Vec<(Timestamp, Self)> {
        let mut turns = vec![(invoice.finalized_at.unwrap_or(since), Self::Waits(invoice))];
        if invoice.state == InvoiceState::Void {
            turns.push((since, Self::Void(invoice)));
        }
        turns.retain(|_| invoice.from_balance > 0);
        turns
    }

    const fn invoice(self) -> &'f ProviderId {
        match self {
            Self::Paid(invoice) => &invoice.invoice,
            Self::Waits(invoice) | Self::Void(invoice) => &invoice.invoice,
            Self::Noted(invoice, _) => invoice,
        }
    }

    /// Whether it must be followed after another event of the same time.
    fn follows(self, other: Self) -> bool {
        match self {
            Self::Paid(invoice) => {
                let of = other.invoice();
                matches!(other, Self::Paid(_))
                    && *of != invoice.invoice
                    && invoice.gives_back.contains_key(of)
            }
            Self::Waits(_) => false,
            Self::Void(invoice) => matches!(other, Self::Waits(waits) if waits.invoice == invoice.invoice),
            Self::Noted(invoice, _) => matches!(other, Self::Paid(paid) if paid.invoice == *invoice),
        }
    }

    /// Within one time, what adds to the balance comes before what uses it.
    const fn order(self) -> (bool, i64) {
        match self {
            Self::Paid(invoice) => (invoice.from_balance > 0, invoice.total),
            Self::Waits(invoice) => (true, invoice.from_balance),
            Self::Void(_) | Self::Noted(..) => (false, 0),
        }
    }
}

/// Ordered by time, and within one time by what depends on what.
fn in_order(mut turns: Vec<(Timestamp, BalanceEvent<'_>)>) -> Vec<BalanceEvent<'_>> {
    turns.sort_by_key(|(at, turn)| (*at, turn.order(), turn.invoice()));
    let mut ordered = Vec::with_capacity(turns.len());
    for moment in turns.chunk_by(|(one, _), (other, _)| one == other) {
        let mut left: Vec<BalanceEvent<'_>> = moment.iter().map(|(_, turn)| *turn).collect();
        while !left.is_empty() {
            let ready = left.iter().position(|turn| !left.iter().any(|other| turn.follows(*other)));
            // Two invoices cannot give back each other, since each would have to be older than the other.
            ordered.push(left.remove(ready.unwrap_or(0)));
        }
    }
    ordered
}

/// What is found while following the events.
struct Search<'p> {
    payments: &'p PaymentRecords,
    parts: BTreeMap<ProviderId, UnpaidPart>,
    lacks: BTreeMap<ProviderId, Lack>,
    /// The part of the customer's balance that no money came for.
    balance: i64,
    /// How much of that paid for invoices that are not paid.
    in_unpaid: BTreeMap<ProviderId, i64>,
    /// How much money is still behind invoices that credit notes give back a part of.
    behind_notes: BTreeMap<ProviderId, i64>,
}

impl Search<'_> {
    fn take(&mut self, turn: BalanceEvent<'_>) {
        match turn {
            BalanceEvent::Paid(invoice) => self.look(invoice),
            BalanceEvent::Waits(invoice) => self.use_balance(invoice),
            BalanceEvent::Void(invoice) => self.put_back(invoice),
            BalanceEvent::Noted(invoice, amount) => self.note(invoice, amount),
        }
    }

    fn look(&mut self, invoice: &PaidInvoice) {
        let given_back = invoice.gives_back.iter();
        let set_off = given_back.map(|(of, given_back)| self.unbacked_of(of, given_back.amount));
        let set_off = set_off.fold(0_i64, i64::saturating_add).max(0);
        let from_balance = invoice.from_balance.min(self.balance);
        let put_on_balance = invoice.total.saturating_neg().clamp(0, set_off);
        self.balance = self.balance.saturating_sub(from_balance).saturating_add(put_on_balance);
        let part = UnpaidPart { set_off, from_balance, whole: invoice.total.saturating_add(set_off) };
        let id = &invoice.invoice;
        if set_off > 0 || from_balance > 0 {
            self.parts.insert(id.clone(), part);
        }
        let taken_off = self.payments.taken_off(id);
        let left = part.whole.saturating_sub(part.lacking()).saturating_sub(taken_off.returned).max(0);
        self.behind_notes.insert(id.clone(), if taken_off.whole { 0 } else { left });
        let lack = lack_of(part, self.payments.gone_back(id));
        self.lacks.insert(id.clone(), lack);
    }

    /// What a credit note returns to the balance has no money behind it if the balance had paid it, or if the invoice's
    /// money was returned otherwise.
    fn note(&mut self, invoice: &ProviderId, amount: i64) {
        let part = self.parts.get(invoice).copied().unwrap_or_default();
        let lacking = Lack { amount: part.lacking(), whole: part.whole }.share_of(amount);
        // An invoice of no subscription is known only by its payments.
        let of_payments = || {
            let taken_off = self.payments.taken_off(invoice);
            let paid = taken_off.paid.unwrap_or(i64::MAX);
            if taken_off.whole { 0 } else { paid.saturating_sub(taken_off.returned).max(0) }
        };
        let left = self.behind_notes.entry(invoice.clone()).or_insert_with(of_payments);
        let backed = amount.saturating_sub(lacking).clamp(0, *left);
        *left = left.saturating_sub(backed);
        self.balance = self.balance.saturating_add(amount.saturating_sub(backed));
    }

    /// What the balance pays of an unpaid invoice is taken from it.
    fn use_balance(&mut self, invoice: &UnpaidInvoice) {
        let used = invoice.from_balance.min(self.balance);
        self.balance = self.balance.saturating_sub(used);
        self.in_unpaid.insert(invoice.invoice.clone(), used);
    }

    fn put_back(&mut self, invoice: &UnpaidInvoice) {
        let used = self.in_unpaid.remove(&invoice.invoice).unwrap_or(0);
        self.balance = self.balance.saturating_add(used);
    }

    /// The part of `amount`, which is given back of an invoice, that has no money behind it.
    fn unbacked_of(&self, invoice: &ProviderId, amount: i64) -> i64 {
        self.lacks.get(invoice).map_or(0, |lack| lack.share_of(amount))
    }
}

fn lack_of(part: UnpaidPart, gone_back: Returned) -> Lack {
    let amount = if gone_back.whole { part.whole } else { gone_back.returned };
    Lack { amount: amount.saturating_add(part.lacking()), whole: part.whole }
}
