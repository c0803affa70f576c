//! What has a comparison found so far?

use std::collections::BTreeMap;

use super::{
    ReconcileError, SUSPECTS_MAX, Subject,
    report::{Drift, NotCompared},
    seen_hashes::SeenHashes,
    suspect::Suspect,
    verdict::Judgement,
};
use crate::{domain::time::Timestamp, journal::row::RowError};

pub(super) struct FoundObjects {
    pub(super) begun_at: Timestamp,
    /// How many objects of each kind were read.
    pub(super) read: BTreeMap<&'static str, u64>,
    pub(super) seen: SeenHashes,
    /// Objects at Stripe that may differ from the ledger.
    pub(super) suspects: Vec<Suspect>,
    /// What the ledger has and Stripe does not.
    pub(super) unfounded: Vec<Drift>,
    pub(super) not_compared: Vec<NotCompared>,
}

impl FoundObjects {
    pub(super) fn new(begun_at: Timestamp) -> Self {
        Self {
            begun_at,
            read: BTreeMap::new(),
            seen: SeenHashes::default(),
            suspects: Vec::new(),
            unfounded: Vec::new(),
            not_compared: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, kind: &'static str, objects: usize) -> u64 {
        let count = self.read.entry(kind).or_default();
        *count = count.saturating_add(u64::try_from(objects).unwrap_or(u64::MAX));
        *count
    }

    /// Keeps an object that differs, to be checked again.
    pub(super) fn suspect(&mut self, suspect: Suspect, judgement: &Judgement) -> Result<(), ReconcileError> {
        let is_unowned = matches!(judgement, Judgement::Unowned);
        match self.suspects.len() {
            // There may be any number of payments for other things.
            kept if is_unowned && kept >= SUSPECTS_MAX / 2 => self.leave_out(suspect.subject),
            kept if kept < SUSPECTS_MAX => self.suspects.push(suspect),
            _ => return Err(ReconcileError::TooMany),
        }
        Ok(())
    }

    pub(super) fn unfounded(&mut self, drift: Drift) -> Result<(), ReconcileError> {
        if self.unfounded.len() >= SUSPECTS_MAX {
            return Err(ReconcileError::TooMany);
        }
        self.unfounded.push(drift);
        Ok(())
    }

    fn leave_out(&mut self, subject: Subject) {
        let because = "there are too many of payments that the ledger does not know".to_owned();
        let left_out = NotCompared { subject: Some(subject), object: None, account: None, because };
        if !self.not_compared.contains(&left_out) {
            self.not_compared.push(left_out);
        }
    }

    /// An event that cannot be read makes no claim.
    pub(super) fn unreadable(&mut self, error: &RowError) {
        let because = error.to_string();
        self.not_compared.push(NotCompared { subject: None, object: None, account: None, because });
    }
}
