//! What did a deduction spend, and what was refunded of it? Both are read from events before a refund is decided.

use tokio::time::{Instant, timeout_at};

use crate::{
    domain::{
        amount::Credits,
        catalog::Measure,
        command::RecordedDeduction,
        credits::{DeductionRefunds, Imbalance},
        event::{Event, HoldEvent},
        ids::{AccountId, DeductionId, GenerationId, HoldId},
        limits::UsageWindow,
        recorded::RecordedEvent,
        refusal::Refusal,
    },
    journal::{find, row::RowError},
};

use super::{
    ANSWER_TIMEOUT, Ledger,
    request::{ExecuteError, ExecuteResult, Request},
};

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

    /// Executes a command that refunds deductions.
    /// What was refunded of them is read if the account does not remember it, and again if so much is refunded at the
    /// same time that what was read says too little.
    pub(super) async fn execute_refund(&self, mut request: Request) -> ExecuteResult {
        let until = Instant::now() + ANSWER_TIMEOUT;
        loop {
            let answer = self.execute_until(until, request.clone()).await;
            if answer != Err(ExecuteError::Refused(Refusal::RefundsOutdated)) || Instant::now() >= until {
                return answer;
            }
            let read = timeout_at(until, self.read_refunds(&mut request)).await;
            // Nothing is stored yet.
            read.map_err(|_| ExecuteError::Overloaded)??;
        }
    }

    /// Reads what was refunded of the deductions that a request refunds.
    async fn read_refunds(&self, request: &mut Request) -> Result<(), ExecuteError> {
        let shard = self.shard_of(&request.account);
        let Some(deductions) = request.command.deductions_mut() else { return Ok(()) };
        let ids: Vec<&str> = deductions.iter().map(|deduction| deduction.deduction_id.as_str()).collect();
        let permit = self.lookups.acquire().await;
        let found = find::refunds_of(&self.pool, shard, &request.account, &ids).await;
        drop(permit);
        let (until, refunds) = found.map_err(|error| unreadable(&request.account, &error))?;
        let refunds = DeductionRefunds::of(refunds.iter().map(|recorded| &recorded.event));
        let mut refunds = refunds.map_err(|Imbalance| ExecuteError::Damaged)?;
        for deduction in deductions {
            deduction.refunded = refunds.remove(&deduction.deduction_id).unwrap_or_default();
            deduction.refunded_until = until;
        }
        Ok(())
    }

    async fn deduction_of(
        &self,
        account: &AccountId,
        recorded: Option<RecordedEvent>,
    ) -> Result<Option<RecordedDeduction>, RowError> {
        let Some(recorded) = recorded else { return Ok(None) };
        // Nothing of it was refunded before it was spent.
        let refunded_until = u64::try_from(recorded.sequence).unwrap_or(0);
        let found =
            if let Event::Hold(HoldEvent::HoldCommitted {
                hold_id, amount, draws, purpose, windows, ..
            }) = recorded.event
            {
                let windows = match windows {
                    Some(windows) => windows,
                    None => spent_windows(&self.windows_of(account, &hold_id).await?, amount),
                };
                let (deduction_id, refunded) =
                    (DeductionId::parse(hold_id.as_str()), DeductionRefunds::default());
                deduction_id.ok().map(|deduction_id| RecordedDeduction {
                    deduction_id,
                    amount,
                    draws,
                    purpose,
                    windows,
                    refunded,
                    refunded_until,
                })
            } else {
                RecordedDeduction::of(&recorded.event)
            };
        Ok(found.map(|deduction| RecordedDeduction { refunded_until, ..deduction }))
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

fn unreadable(account: &AccountId, error: &RowError) -> ExecuteError {
    tracing::error!(%account, error = error as &dyn std::error::Error, "refunds cannot be read");
    match error {
        RowError::Column(_) => ExecuteError::Unavailable,
        RowError::Unreadable { .. } | RowError::Metadata { .. } | RowError::Value { .. } => {
            ExecuteError::Damaged
        }
    }
}

fn number(id: &str, prefix: &str) -> Option<i64> {
    id.strip_prefix(prefix)?.parse().ok()
}
