//! Can the server serve requests?

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::recorded::Shard, ledger::Ledger};

/// How long the database may take to answer before the server counts as not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long commands may wait without any being answered before the server counts as not ready.
const STUCK_MAX: Duration = Duration::from_secs(3);

const READY: &str = "ready";

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadinessResponse {
    /// `ready` or `not_ready`
    #[schema(value_type = String)]
    status: &'static str,
    /// Whether the database answers and accepts writes.
    database: bool,
    /// Of several shards, those whose commands are not stored now. Commands of the accounts in the others are.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<i16>)]
    shards_not_answering: BTreeSet<Shard>,
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
        Ok::<_, sqlx::Error>((ledger.unstored_shards().await?, behind_s.unwrap_or(0)))
    };
    let (unstored, clock_behind_s) = match tokio::time::timeout(READY_TIMEOUT, asked).await {
        Ok(Ok((unstored, behind_s))) => (Some(unstored), behind_s),
        Ok(Err(_)) | Err(_) => (None, 0),
    };
    let shards = ledger.shards().iter().len();
    // The accounts of the other shards are served.
    let database = unstored.as_ref().is_some_and(|unstored| unstored.len() < shards);
    let stuck = ledger.stuck_shards(STUCK_MAX);
    let status = if database && stuck.len() < shards { READY } else { "not_ready" };
    let shards_not_answering = match shards {
        1 => BTreeSet::new(),
        _ => unstored.into_iter().flatten().chain(stuck).collect(),
    };
    let (commands_queued, commands_stuck_s) = (ledger.queued(), ledger.stuck_for().as_secs());
    ReadinessResponse {
        status,
        database,
        shards_not_answering,
        commands_queued,
        commands_stuck_s,
        clock_behind_s,
    }
}
