//! How much of a month is still to be there, after what went back?

use super::OpenAccount;
use crate::domain::{amount::Credits, months::Month, names::ProviderId};

impl OpenAccount {
    /// What a month was paid for and is still to be there.
    pub(in crate::domain) fn month_due(&self, month: &Month) -> Credits {
        let due = self.month_due_by_invoice(month).into_iter().map(|(_, due)| due);
        Credits::checked_sum(due).unwrap_or(Credits::MAX)
    }

    /// The same by invoice: what is taken back of the month is taken of what was paid for last, and what a refund takes of
    /// what its invoice gave; of what others gave only where that is not enough.
    pub(in crate::domain) fn month_due_by_invoice(&self, month: &Month) -> Vec<(ProviderId, Credits)> {
        let mut parts: Vec<(ProviderId, Credits, Credits)> = Vec::new();
        for piece in &month.pieces {
            let refunded = self.payments.returned(&piece.invoice).share_of(piece.amount);
            parts.push((piece.invoice.clone(), piece.amount, refunded));
        }
        let back = [month.returned, month.unbilled];
        let mut taken = Credits::checked_sum(back).unwrap_or(Credits::MAX);
        for (_, due, _) in parts.iter_mut().rev() {
            let part = taken.min(*due);
            (*due, taken) = (due.saturating_sub(part), taken.saturating_sub(part));
        }
        let mut over = taken;
        for (_, due, refunded) in &mut parts {
            let part = (*refunded).min(*due);
            over = over.checked_add(refunded.saturating_sub(part)).unwrap_or(Credits::MAX);
            *due = due.saturating_sub(part);
        }
        for (_, due, _) in parts.iter_mut().rev() {
            let part = over.min(*due);
            (*due, over) = (due.saturating_sub(part), over.saturating_sub(part));
        }
        let mut sums: Vec<(ProviderId, Credits)> = Vec::new();
        for (invoice, due, _) in parts {
            match sums.iter_mut().find(|(known, _)| *known == invoice) {
                Some((_, sum)) => *sum = sum.checked_add(due).unwrap_or(Credits::MAX),
                None => sums.push((invoice, due)),
            }
        }
        sums
    }

    /// What is taken back of a month because its invoices were refunded.
    pub(in crate::domain) fn month_refunded(&self, month: &Month) -> Credits {
        let shares = month.pieces.iter().map(|piece| {
            let money = self.payments.returned(&piece.invoice);
            money.share_of(piece.amount)
        });
        Credits::checked_sum(shares).unwrap_or(Credits::MAX)
    }
}
