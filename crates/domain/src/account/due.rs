//! How much of a month remains after refunds?

use super::OpenAccount;
use crate::{amount::Credits, ids::ProviderId, months::Month};

/// The credits of one invoice in a month: what is still due, and how much of it the invoice's refunds take back.
struct MonthPiece {
    invoice: ProviderId,
    due: Credits,
    refunded: Credits,
}

impl OpenAccount {
    /// The paid credits of a month that remain after refunds and credit lines.
    pub(crate) fn month_due(&self, month: &Month) -> Credits {
        sum(self.parts_due(month).iter().map(|part| part.due))
    }

    /// The paid credits that remain, by invoice. The last paid invoice loses credits first.
    /// A refund takes from what its own invoice gave, and from other invoices only if that is not enough.
    pub(crate) fn month_due_by_invoice(&self, month: &Month) -> Vec<(ProviderId, Credits)> {
        let mut sums: Vec<(ProviderId, Credits)> = Vec::new();
        for MonthPiece { invoice, due, .. } in self.parts_due(month) {
            match sums.iter_mut().find(|(known, _)| *known == invoice) {
                Some((_, known)) => *known = sum([*known, due]),
                None => sums.push((invoice, due)),
            }
        }
        sums
    }

    /// How many credits of a month are taken back because money was returned: by credit lines, and by refunds of its
    /// invoices.
    pub(crate) fn month_taken(&self, month: &Month) -> Credits {
        let refunded = self.parts_paid(month).into_iter().map(|part| part.refunded);
        sum(refunded.chain([month.given_up(&self.payments)]))
    }

    /// The paid credits of each invoice, before anything is taken back.
    fn parts_paid(&self, month: &Month) -> Vec<MonthPiece> {
        let parts = month.pieces.iter().map(|piece| MonthPiece {
            invoice: piece.invoice.clone(),
            due: piece.amount,
            refunded: self.payments.undone(&piece.invoice, piece.amount),
        });
        parts.collect()
    }

    /// What an invoice gives back is first taken from the invoice that charged for it.
    /// A refund is taken from what its own invoice still gives, and then from earlier invoices, but never from later
    /// ones.
    fn parts_due(&self, month: &Month) -> Vec<MonthPiece> {
        let mut parts = self.parts_paid(month);
        let mut over = month.unbilled;
        for taking in &month.takings {
            let own = parts.iter_mut().filter(|part| Some(&part.invoice) == taking.gives_back.as_ref());
            over = sum([over, take(own, taking.kept(&self.payments))]);
        }
        take(parts.iter_mut().rev(), over);
        for index in 0..parts.len() {
            let Some(part) = parts.get(index) else { continue };
            let (invoice, refunded) = (part.invoice.clone(), part.refunded);
            let own = parts.iter_mut().rev().filter(|part| part.invoice == invoice);
            let over = take(own, refunded);
            take(parts.iter_mut().take(index).rev(), over);
        }
        parts
    }
}

/// Takes `amount` from the parts, one after the other. Returns how much could not be taken.
fn take<'p>(parts: impl Iterator<Item = &'p mut MonthPiece>, amount: Credits) -> Credits {
    let mut wanted = amount;
    for part in parts {
        let taken = wanted.min(part.due);
        part.due = part.due.saturating_sub(taken);
        wanted = wanted.saturating_sub(taken);
    }
    wanted
}

fn sum(amounts: impl IntoIterator<Item = Credits>) -> Credits {
    Credits::checked_sum(amounts).unwrap_or(Credits::MAX)
}
