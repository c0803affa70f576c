//! What did a deduction spend, so that it can be refunded? Read from its events, which never change.

use crate::{
    domain::{
        amount::Credits,
        catalog::Measure,
        command::RecordedDeduction,
        event::{Event, HoldEvent},
        ids::{AccountId, DeductionId, GenerationId, HoldId},
        limits::UsageWindow,
        recorded::RecordedEvent,
    },
    journal::{find, row::RowError},
};

use super::Ledger;

/// The prefix of the ids of deductions, before the sequence of their event.
const DEDUCTION: &str = "ded_";
/// The prefix of the ids of holds, which are also the deduction ids of their commits.
const HOLD: &str = "hold_";

impl Ledger {
    /// A deduction or a spent part of a hold by its id, or a committed hold by the hold's id.
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn find_deduction(
        &self,
        account: &AccountId,
        id: &DeductionId,
    ) -> Result<Option<RecordedDeduction>, RowError> {
        let recorded = match (number(id.as_str(), DEDUCTION), number(id.as_str(), HOLD)) {
            (Some(sequence), _) => self.find_event(account, sequence).await?,
            (None, Some(_)) => {
                let _permit = self.lookups.acquire().await;
                find::committed(&self.pool, self.shard_of(account), account, id.as_str()).await?
            }
            (None, None) => None,
        };
        let deduction = self.deduction_of(account, recorded).await?;
        Ok(deduction.filter(|deduction| deduction.deduction_id == *id))
    }

    /// The newest deductions, spent parts of holds and committed holds for a generation; at most `limit` of them.
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn find_spent_on(
        &self,
        account: &AccountId,
        generation: &GenerationId,
        limit: usize,
    ) -> Result<Vec<RecordedDeduction>, RowError> {
        let _permit = self.lookups.acquire().await;
        let spent = find::spent_on(
            &self.pool,
            self.shard_of(account),
            account,
            generation,
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
        .await?;
        let mut deductions = Vec::with_capacity(spent.len());
        for recorded in spent {
            deductions.extend(self.deduction_of(account, Some(recorded)).await?);
        }
        Ok(deductions)
    }

    async fn deduction_of(
        &self,
        account: &AccountId,
        recorded: Option<RecordedEvent>,
    ) -> Result<Option<RecordedDeduction>, RowError> {
        match recorded.map(|recorded| recorded.event) {
            Some(Event::Hold(HoldEvent::HoldCommitted {
                hold_id, amount, draws, purpose, windows, ..
            })) => {
                let windows = match windows {
                    Some(windows) => windows,
                    None => spent_windows(&self.windows_of(account, &hold_id).await?, amount),
                };
                let deduction_id = DeductionId::parse(hold_id.as_str());
                Ok(deduction_id.ok().map(|deduction_id| RecordedDeduction {
                    deduction_id,
                    amount,
                    draws,
                    purpose,
                    windows,
                }))
            }
            Some(event) => Ok(RecordedDeduction::of(&event)),
            None => Ok(None),
        }
    }

    async fn windows_of(&self, account: &AccountId, hold: &HoldId) -> Result<Vec<UsageWindow>, RowError> {
        let Some(sequence) = number(hold.as_str(), HOLD) else {
            return Ok(Vec::new());
        };
        match self.find_event(account, sequence).await?.map(|recorded| recorded.event) {
            Some(Event::Hold(HoldEvent::CreditsHeld { windows, .. })) => Ok(windows),
            Some(_) | None => Ok(Vec::new()),
        }
    }
}

/// The windows in which the spent part of a hold still counts, after the commit has taken the rest out.
fn spent_windows(held: &[UsageWindow], spent: Credits) -> Vec<UsageWindow> {
    let count = |window: &UsageWindow| match window.key.measure {
        Measure::Credits => u64::try_from(spent.get()).unwrap_or(0),
        Measure::Generations => window.count,
    };
    held.iter().map(|window| UsageWindow { count: count(window), ..*window }).collect()
}

fn number(id: &str, prefix: &str) -> Option<i64> {
    id.strip_prefix(prefix)?.parse().ok()
}
