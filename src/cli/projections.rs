//! `counterfoil projections`: what is the state of the read models, and how are they repaired?

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::{
    app::open_projector,
    consumer::ConsumerError,
    domain::ids::AccountId,
    journal::feed::Feed,
    projector::{ProjectionListing, ProjectionState, Projector, ProjectorError, Rebuilt},
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, table},
    session::{self, CliSession},
};

const REBUILD_HELP: &str = "\
The new version is built beside the one that readers see, from the first event on. When both are at the same \
position their totals are compared; readers are switched to it if they are equal. Exit code 1 says that they are \
not.

Examples:
  counterfoil projections rebuild usage
  counterfoil projections rebuild mrr --accept-differences";

#[derive(Subcommand)]
pub(super) enum ProjectionsCommand {
    /// List the read models, how far they are, and which accounts are parked
    List {
        #[command(flatten)]
        flags: DatabaseFlags,
    },
    /// Build a read model again beside the live one, and switch to it
    #[command(after_help = REBUILD_HELP)]
    Rebuild(Rebuild),
    /// Apply the waiting events of a parked account
    Unpark {
        /// The read model, as `projections list` names it
        projection: String,
        /// The account that is parked in it
        #[arg(value_parser = AccountId::parse)]
        account: AccountId,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
    /// Let a read model that stopped try again
    Resume {
        /// The read model, as `projections list` names it
        projection: String,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
}

#[derive(Args)]
pub(super) struct Rebuild {
    /// The read model, as `projections list` names it
    projection: String,
    /// Switch to the new version even if it differs, as after a bug was fixed
    #[arg(long)]
    accept_differences: bool,
    /// Drop the old version's tables after the switch
    #[arg(long)]
    drop_old: bool,
    #[command(flatten)]
    flags: DatabaseFlags,
}

impl ProjectionsCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::List { flags } => list(&flags, output).await,
            Self::Rebuild(rebuild) => rebuild.run(output).await,
            Self::Unpark { projection, account, flags } => {
                unpark(&projection, &account, &flags, output).await
            }
            Self::Resume { projection, flags } => {
                with_projector(&flags, async |projector: &Projector| projector.resume(&projection).await)
                    .await?;
                output.answer(&json!({ "resumed": projection }), || format!("{projection} goes on."))?;
                Ok(Exit::Success)
            }
        }
    }
}

async fn with_projector<T>(
    flags: &DatabaseFlags,
    work: impl AsyncFnOnce(&Projector) -> Result<T, ProjectorError>,
) -> Result<T, CliFailure> {
    session::with(flags, async |session: &CliSession| {
        let projector = open_projector(&session.pool, Feed::new(session.pool.clone()), &session.clock)
            .await
            .map_err(CliFailure::broken)?;
        work(&projector).await.map_err(failure)
    })
    .await
}

/// That there is no such read model is an answer; all other errors are faults.
fn failure(error: ProjectorError) -> CliFailure {
    match error {
        ProjectorError::Unknown { .. }
        | ProjectorError::Consumer(ConsumerError::NotParked { .. })
        | ProjectorError::RebuildUnderWay { .. }
        | ProjectorError::Grown
        | ProjectorError::RebuildStopped { .. }
        | ProjectorError::PositionMissing { .. } => CliFailure::No(error.to_string()),
        ProjectorError::Database(_) | ProjectorError::Placement(_) | ProjectorError::Consumer(_) => {
            CliFailure::broken(error)
        }
    }
}

/// One version of a read model, as it is shown.
#[derive(Serialize)]
struct ShownVersion {
    projection: String,
    version: i32,
    shard: i16,
    state: String,
    position: i64,
    lag_events: i64,
    lag_ms: i64,
    parked: Vec<ShownParked>,
}

#[derive(Serialize)]
struct ShownParked {
    account: String,
    position: i64,
    reason: String,
    parked_at: String,
}

impl From<ProjectionListing> for ShownVersion {
    fn from(listing: ProjectionListing) -> Self {
        let state = match &listing.state {
            ProjectionState::Live => "live".to_owned(),
            ProjectionState::Rebuilding { percent } => format!("rebuilding, {percent} %"),
            ProjectionState::Stopped { reason } => format!("stopped: {reason}"),
            ProjectionState::Old => "old".to_owned(),
        };
        let parked = listing.parked.into_iter().map(|parked| ShownParked {
            account: parked.account_id,
            position: parked.position,
            reason: parked.reason,
            parked_at: crate::domain::time::Timestamp::from(parked.parked_at).to_string(),
        });
        Self {
            projection: listing.projection,
            version: listing.version,
            shard: listing.shard.0,
            state,
            position: listing.position.0,
            lag_events: listing.lag_events,
            lag_ms: listing.lag_ms,
            parked: parked.collect(),
        }
    }
}

async fn list(flags: &DatabaseFlags, output: Output) -> CliResult {
    let listings = with_projector(flags, async |projector: &Projector| projector.list().await).await?;
    let lines: Vec<ShownVersion> = listings.into_iter().map(ShownVersion::from).collect();
    output.answer(&lines, || table_of(&lines))?;
    Ok(Exit::Success)
}

fn table_of(lines: &[ShownVersion]) -> String {
    let mut table =
        table(["read model", "version", "shard", "state", "position", "behind by", "for", "parked accounts"]);
    for line in lines {
        let parked: Vec<String> =
            line.parked.iter().map(|parked| format!("{}: {}", parked.account, parked.reason)).collect();
        table.add_row([
            line.projection.clone(),
            line.version.to_string(),
            line.shard.to_string(),
            line.state.clone(),
            line.position.to_string(),
            format!("{} events", line.lag_events),
            format!("{} ms", line.lag_ms),
            parked.join("\n"),
        ]);
    }
    table.to_string()
}

impl Rebuild {
    async fn run(self, output: Output) -> CliResult {
        let Self { projection, accept_differences, drop_old, flags } = self;
        let progress = output.progress(&projection, 0);
        let rebuilt = with_projector(&flags, async |projector: &Projector| {
            let report = |step: crate::projector::RebuildStep| {
                progress.set_length(u64::try_from(step.goal.0).unwrap_or(0));
                progress.set_position(u64::try_from(step.position.0).unwrap_or(0));
            };
            let rebuilt = projector.rebuild(&projection, accept_differences, report).await?;
            if drop_old && rebuilt.switched {
                projector.drop_old(&projection).await?;
            }
            Ok(rebuilt)
        })
        .await?;
        progress.finish_and_clear();
        tell(&projection, &rebuilt, output)?;
        Ok(if rebuilt.switched { Exit::Success } else { Exit::No })
    }
}

fn tell(projection: &str, rebuilt: &Rebuilt, output: Output) -> Result<(), CliFailure> {
    let Rebuilt { from_version, to_version, totals_before, totals_after, switched } = rebuilt;
    let same = rebuilt.is_same();
    let value = json!({
        "projection": projection, "from_version": from_version, "to_version": to_version, "same": same,
        "switched": switched, "totals_before": totals_before, "totals_after": totals_after,
    });
    output.answer(&value, || {
        let outcome = match (same, switched) {
            (true, _) => "the totals are the same, and readers see the new version",
            (false, true) => "the totals differ, and readers see the new version, as was asked for",
            (false, false) => "the totals differ, so readers see the old version still",
        };
        let totals = if same { String::new() } else { format!("\n- {totals_before}\n+ {totals_after}") };
        format!("{projection}: version {from_version} was built again as {to_version}; {outcome}.{totals}")
    })
}

async fn unpark(projection: &str, account: &AccountId, flags: &DatabaseFlags, output: Output) -> CliResult {
    let applied =
        with_projector(flags, async |projector: &Projector| projector.unpark(projection, account).await)
            .await?;
    let value = json!({ "projection": projection, "account": account, "events": applied });
    output.answer(&value, || format!("{account} goes on in {projection}: {applied} events were applied."))?;
    Ok(Exit::Success)
}
