//! Can the server serve requests?

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::Ledger;

/// How long the database may take to answer before the server counts as not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long commands may wait without any being answered before the server counts as not ready.
const STUCK_MAX: Duration = Duration::from_secs(3);

const READY: &str = "ready";

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ReadinessResponse {
    /// `ready` or `not_ready`
    #[schema(value_type = String)]
    status: &'static str,
    /// Whether the database answers and accepts writes.
    database: bool,
    /// How many commands wait for their decision.
    commands_queued: usize,
    /// For how many seconds commands have waited without any being answered. From 3 on the server is not ready.
    commands_stuck_s: u64,
    /// By how many seconds this machine's clock is behind the journal: 0, or more than 10.
    /// While it is behind, refusals for lack of credits, a feature or a limit are answered with `clock_behind`;
    /// everything else works.
    clock_behind_s: i64,
}

impl ReadinessResponse {
    pub fn is_ready(&self) -> bool {
        self.status == READY
    }
}

/// Checks the ledger and its database.
pub async fn look(ledger: &Ledger) -> ReadinessResponse {
    let asked = async {
        let behind_s = ledger.clock_behind_s().await?;
        Ok::<_, sqlx::Error>((ledger.can_store().await?, behind_s.unwrap_or(0)))
    };
    let (database, clock_behind_s) = match tokio::time::timeout(READY_TIMEOUT, asked).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => (false, 0),
    };
    let stuck = ledger.stuck_for();
    let status = if database && stuck < STUCK_MAX { READY } else { "not_ready" };
    let (commands_queued, commands_stuck_s) = (ledger.queued(), stuck.as_secs());
    ReadinessResponse { status, database, commands_queued, commands_stuck_s, clock_behind_s }
}
