//! What has the plan given for the running month, and when does it give again?

use super::OpenAccount;
use crate::{
    amount::Credits,
    catalog::Catalog,
    credits::{Grant, Source},
    time::Timestamp,
};

/// What a plan has given for the running month or trial, and how much of that was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// How much was given, less what was taken back.
    pub amount: Credits,
    pub used: Credits,
}

impl OpenAccount {
    /// What the plan has given in grants that have begun and have not ended, without rollover from the month before.
    #[must_use]
    pub fn allocated(&self, at: Timestamp) -> Allocated {
        let is_of_plan =
            |grant: &&Grant| grant.terms.slot.is_some() && grant.terms.source != Source::Rollover;
        let goes_on = |grant: &&Grant| grant.terms.starts_at <= at && !grant.has_ended(at);
        let given = self.wallet.grants().filter(is_of_plan).filter(goes_on);
        given.fold(Allocated::default(), |sum, grant| Allocated {
            amount: add(sum.amount, grant.terms.amount.saturating_sub(grant.voided)),
            used: add(sum.used, grant.consumed),
        })
    }

    /// When the next month of a running allocation begins.
    /// In the past if that month has begun and is not paid. `None`: no month follows.
    #[must_use]
    pub fn next_credits_at(&self, at: Timestamp, catalog: &Catalog) -> Option<Timestamp> {
        let known = self.known(catalog);
        let terms = self.subscriptions.terms().iter().filter_map(|paid| match &paid.term.paid {
            Some(_) => paid.next,
            None => self.subscriptions.next_free_month(paid, known).map(|(_, due, _)| due),
        });
        let facts = self.subscriptions.facts().values();
        let facts = facts.filter_map(|facts| facts.next_credits_at(at, &self.payments));
        terms.filter(|next| *next > at).chain(facts).min()
    }
}

fn add(one: Credits, other: Credits) -> Credits {
    one.checked_add(other).unwrap_or(Credits::MAX)
}
