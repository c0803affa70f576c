//! Which accounts are due, and what happened to them?

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        command::{AccountCommand, Command},
        ids::{AccountId, Actor},
        recorded::{Origin, Shard},
        time::Timestamp,
    },
    ledger::{ExecuteError, IdempotencyKey, Ledger, Provenance, Request},
    projections::{
        Tables,
        deadlines::{self, DueAccount},
    },
};

use super::Scheduler;

/// How many deadlines are read at a time.
const DEADLINES_MAX: i64 = 500;
/// How many accounts are handled at the same time: far fewer than the ledger has room for, so that callers are not
/// refused when a month ends.
const ACCOUNTS_CONCURRENT_MAX: usize = 64;
/// The actor of these commands.
const ACTOR: &str = "clock";

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Accounts to which everything due was applied.
    pub settled: u64,
    /// Events that were appended.
    pub events: u64,
    /// Accounts that could not be handled now. The next tick tries again.
    pub left: u64,
}

/// The result for one account.
enum TickResult {
    Done { events: u64 },
    Later,
}

impl Scheduler {
    /// Applies what is due to every account that is due now, by the ledger's clock.
    ///
    /// # Errors
    /// If the database does not answer. What was applied by then stays applied.
    pub async fn tick(&self) -> Result<Ticked, sqlx::Error> {
        self.tick_until(&CancellationToken::new()).await
    }

    pub(super) async fn tick_until(&self, stop: &CancellationToken) -> Result<Ticked, sqlx::Error> {
        let at = self.ledger.clock().now();
        let mut total = Ticked::default();
        // Accounts that could not be handled would be read first again, so they end the tick.
        while total.left == 0 && !stop.is_cancelled() {
            // Of the other shards, what is due is applied by the instances that write them.
            let is_here = |shard: &Shard| self.instances.elsewhere(*shard).is_none();
            let shards: Vec<Shard> = self.ledger.shards().iter().filter(is_here).collect();
            let due = deadlines::due(&self.pool, &shards, at, DEADLINES_MAX).await?;
            report_lag(&due, at);
            if due.is_empty() {
                break;
            }
            let tables = deadlines::live_tables(&self.pool).await?;
            self.settle_all(due, tables, at, &mut total).await?;
        }
        Ok(total)
    }

    async fn settle_all(
        &self,
        due: Vec<DueAccount>,
        tables: Tables,
        at: Timestamp,
        total: &mut Ticked,
    ) -> Result<(), sqlx::Error> {
        let settled = stream::iter(due).map(|due| self.settle(due, tables, at));
        let mut settled = settled.buffer_unordered(ACCOUNTS_CONCURRENT_MAX);
        while let Some(settled) = settled.next().await {
            match settled? {
                TickResult::Done { events } => {
                    total.settled = total.settled.saturating_add(1);
                    total.events = total.events.saturating_add(events);
                    metrics::counter!("counterfoil_scheduler_events_total").increment(events);
                    metrics::counter!("counterfoil_scheduler_accounts_total", "outcome" => "settled")
                        .increment(1);
                }
                TickResult::Later => {
                    total.left = total.left.saturating_add(1);
                    metrics::counter!("counterfoil_scheduler_accounts_total", "outcome" => "left")
                        .increment(1);
                }
            }
        }
        Ok(())
    }

    /// Applies what is due to one account, and deletes its deadlines until then.
    async fn settle(
        &self,
        due: DueAccount,
        tables: Tables,
        at: Timestamp,
    ) -> Result<TickResult, sqlx::Error> {
        let Ok(account) = AccountId::parse(&due.account_id) else {
            tracing::error!(account = due.account_id, "a deadline names an account that cannot be one");
            return Ok(TickResult::Later);
        };
        let settled = send(&self.ledger, &account).await;
        if let TickResult::Done { .. } = settled {
            deadlines::done(&self.pool, tables, due.shard(), &account, at).await?;
        }
        Ok(settled)
    }
}

async fn send(ledger: &Ledger, account: &AccountId) -> TickResult {
    let Ok(actor) = Actor::parse(ACTOR) else { return TickResult::Later };
    let provenance = Provenance {
        actor,
        origin: Origin::Clock,
        correlation_id: None,
        causation_id: None,
        stripe_event: None,
    };
    let command = Command::Account(AccountCommand::ApplyDue);
    let request = Request::new(account.clone(), command, IdempotencyKey::none(), provenance);
    match ledger.execute(request).await {
        Ok(outcome) => TickResult::Done { events: u64::try_from(outcome.events.len()).unwrap_or(u64::MAX) },
        // It would be refused again: what is due does not fit, or nobody has opened the account.
        Err(ExecuteError::Refused(_)) => TickResult::Done { events: 0 },
        Err(ExecuteError::Damaged) => {
            tracing::error!(%account, "an account that is due is damaged; nothing is done to it until somebody has looked");
            TickResult::Done { events: 0 }
        }
        Err(
            ExecuteError::KeyReused
            | ExecuteError::Overloaded
            | ExecuteError::Unavailable
            | ExecuteError::ClockBehind { .. }
            | ExecuteError::OutcomeUnknown,
        ) => TickResult::Later,
    }
}

/// Reports by how much the oldest deadline is late.
fn report_lag(due: &[DueAccount], at: Timestamp) {
    let oldest = due.iter().map(|due| Timestamp::from(due.due_at).micros()).min().unwrap_or(at.micros());
    let lag = at.micros().saturating_sub(oldest).max(0) / 1_000;
    let lag_ms = u32::try_from(lag).unwrap_or(u32::MAX);
    metrics::gauge!("counterfoil_scheduler_lag_seconds").set(f64::from(lag_ms) / 1_000.0);
}
