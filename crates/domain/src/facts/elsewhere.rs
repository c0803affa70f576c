//! What of a subscription was granted elsewhere, before its account moved in?

use super::Facts;
use crate::{
    months::{Month, Piece},
    time::Timestamp,
};

impl Facts {
    /// The facts of a subscription of which nothing is known yet. `moved_in`: when its account moved in, if it did.
    pub(crate) fn of_account(moved_in: Option<Timestamp>) -> Self {
        Self { moved_in, ..Self::default() }
    }

    /// What was paid for before the account moved in, and had begun by then.
    pub fn granted_elsewhere<'a>(&'a self, month: &'a Month) -> impl Iterator<Item = &'a Piece> {
        let pieces = self.moved_in.iter().flat_map(|at| month.pieces.iter().map(move |piece| (*at, piece)));
        let before = pieces.filter(|(at, piece)| {
            piece.from < *at && self.paid_at(&piece.invoice).is_some_and(|paid_at| paid_at < *at)
        });
        before.map(|(_, piece)| piece)
    }

    /// Marks the months that were granted elsewhere as months that have grants.
    pub(super) fn open_elsewhere(&mut self) {
        if self.moved_in.is_none() {
            return;
        }
        let begun = self.months.iter().filter(|month| self.granted_elsewhere(month).next().is_some());
        let ends: Vec<Timestamp> = begun.map(|month| month.period.end).collect();
        self.opened.extend(ends);
    }
}
