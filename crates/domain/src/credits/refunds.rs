//! What was refunded of a deduction? An account remembers its last refunds; the others are in its events only.

use std::collections::BTreeMap;

use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::Imbalance;
use crate::{
    amount::Credits,
    event::{CreditsEvent, Draw, Event},
    ids::DeductionId,
};

/// How many refunds an account remembers. The oldest are forgotten first.
pub const REMEMBERED_REFUNDS_MAX: usize = 1_024;

/// How much of a deduction was refunded, and to which grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeductionRefunds {
    pub amount: Credits,
    pub returns: Vec<Draw>,
    /// How many refunds they were.
    pub count: usize,
}

/// The last refunds of an account, which are all that were recorded after some event of it.
///
/// An account with millions of refunds is as small as one with hundreds: what it has forgotten is read from its events
/// before a decision, and what was recorded since then is here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentRefunds {
    /// The oldest first. Copies of an account share them.
    recent: Vector<RecentRefund>,
    /// The sequence of the newest refund that was forgotten. 0: none was.
    forgotten: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecentRefund {
    /// Of its event.
    sequence: u64,
    deduction: DeductionId,
    amount: Credits,
    returns: Vec<Draw>,
}

impl DeductionRefunds {
    /// What these events of an account refunded, by deduction.
    ///
    /// # Errors
    /// If a sum is too large.
    pub fn of<'a>(
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<BTreeMap<DeductionId, Self>, Imbalance> {
        let mut all: BTreeMap<DeductionId, Self> = BTreeMap::new();
        for event in events {
            if let Event::Credits(CreditsEvent::CreditsRefunded {
                deduction_id,
                amount,
                returns,
                reissued,
                ..
            }) = event
            {
                let refunds = all.entry(deduction_id.clone()).or_default();
                refunds.add(*amount, returns.iter().chain(reissued))?;
            }
        }
        Ok(all)
    }

    /// Adds one refund.
    fn add<'a>(
        &mut self,
        amount: Credits,
        returns: impl IntoIterator<Item = &'a Draw>,
    ) -> Result<(), Imbalance> {
        self.amount = self.amount.checked_add(amount).ok_or(Imbalance)?;
        self.count = self.count.saturating_add(1);
        for draw in returns {
            match self.returns.iter_mut().find(|known| known.grant_id == draw.grant_id) {
                Some(known) => known.amount = known.amount.checked_add(draw.amount).ok_or(Imbalance)?,
                None => self.returns.push(draw.clone()),
            }
        }
        Ok(())
    }
}

impl RecentRefunds {
    /// Takes note of a refund, whose event has this sequence.
    pub(crate) fn note(
        &mut self,
        sequence: u64,
        deduction: &DeductionId,
        amount: Credits,
        returns: Vec<Draw>,
    ) {
        self.recent.push_back(RecentRefund { sequence, deduction: deduction.clone(), amount, returns });
        if self.recent.len() > REMEMBERED_REFUNDS_MAX
            && let Some(oldest) = self.recent.pop_front()
        {
            self.forgotten = oldest.sequence;
        }
    }

    /// Adds to `earlier` what was refunded of a deduction after the event with the sequence `until`.
    /// `None`: it is not known any more.
    pub(crate) fn after(
        &self,
        until: u64,
        deduction: &DeductionId,
        earlier: &DeductionRefunds,
    ) -> Option<DeductionRefunds> {
        if until < self.forgotten {
            return None;
        }
        let mut all = earlier.clone();
        for refund in self.recent.iter().rev().take_while(|refund| refund.sequence > until) {
            if refund.deduction == *deduction {
                all.add(refund.amount, &refund.returns).ok()?;
            }
        }
        Some(all)
    }
}
