//! `counterfoil audit`: what happened to an account, and is the journal still as it was written?

use std::{num::NonZero, sync::Arc};

use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Column};

use crate::{
    app::open_projector,
    audit::{
        self, AuditFinding, AuditScope, Replay, ReplayError, ReplayStep, Verification, VerifiedHead,
        VerifiedShard,
    },
    config::LoadedCatalog,
    domain::{ids::AccountId, recorded::Shard, time::Timestamp},
    journal::{self, feed::Feed, shards::ShardPart},
    ledger::Ledger,
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, or_dash, table},
    session::{self, CliSession},
};

const REPLAY_HELP: &str = "\
Each event with what the account held after it, computed from the events alone; the end is compared with what \
callers are told. Exit code 1 says that they differ.

Examples:
  counterfoil audit replay acme
  counterfoil audit replay acme --as-of 2026-06-30T23:59:59Z --json";

const VERIFY_HELP: &str = "\
Computes every hash, block, account and read model again. Keep the head that it shows somewhere else, to compare it \
with later ones. Exit code 1 says that something is not as it was written, and what comes first.

Examples:
  counterfoil audit verify
  counterfoil audit verify --since 4711:5f0e…";

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Show each event of an account and the state after it
    #[command(after_help = REPLAY_HELP)]
    Replay(ReplayArguments),
    /// Check the whole journal against its proof, and the read models against the journal
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
}

#[derive(Args)]
pub(super) struct ReplayArguments {
    /// The account
    #[arg(value_parser = AccountId::parse)]
    account: AccountId,
    /// Only what was recorded by then, in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    as_of: Option<Timestamp>,
    #[command(flatten)]
    flags: DatabaseFlags,
}

#[derive(Args)]
pub(super) struct Verify {
    /// Leave out the read models, which have to be built again to be compared
    #[arg(long)]
    journal_only: bool,
    /// Check only what came after a head that an earlier run has shown, and the accounts that have changed since;
    /// read models are left out
    #[arg(long, value_name = "POSITION:HASH", value_delimiter = ',')]
    since: Vec<VerifiedHead>,
    /// Check only this shard of several, and no read models
    #[arg(long, value_name = "NUMBER")]
    shard: Option<i16>,
    #[command(flatten)]
    flags: DatabaseFlags,
}

impl AuditCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::Replay(arguments) => arguments.run(output).await,
            Self::Verify(verify) => verify.run(output).await,
        }
    }
}

impl ReplayArguments {
    async fn run(self, output: Output) -> CliResult {
        let Self { account, as_of, flags } = self;
        let replay = session::with_catalog(&flags, async |session: &CliSession, loaded: LoadedCatalog| {
            let catalog = Arc::new(loaded.catalog);
            let started = Ledger::start(session.pool.clone(), catalog, session.clock.clone()).await;
            let (ledger, running) = started.map_err(CliFailure::broken)?;
            let replay = audit::replay(&ledger, &account, as_of).await;
            drop(ledger);
            running.finished().await;
            replay.map_err(failure)
        })
        .await?;
        output.answer(&replay, || replay_text(&replay))?;
        Ok(if replay.differences.is_empty() { Exit::Success } else { Exit::No })
    }
}

fn failure(error: ReplayError) -> CliFailure {
    match error {
        ReplayError::NoSuchAccount(_) | ReplayError::Corrupt { .. } => CliFailure::No(error.to_string()),
        ReplayError::Row(_) | ReplayError::View(_) => CliFailure::broken(error),
    }
}

fn replay_text(replay: &Replay) -> String {
    let mut table =
        table(["#", "position", "effective", "event", "available", "held", "debt", "plan", "by", "recorded"]);
    for step in &replay.steps {
        table.add_row(cells(step));
    }
    for number in [0, 1, 4, 5, 6] {
        if let Some(column) = table.column_mut(number) {
            Column::set_cell_alignment(column, CellAlignment::Right);
        }
    }
    let balance = &replay.balance;
    let now = format!(
        "Now: {} available, {} held, {} owed; plan {}.",
        balance.available,
        balance.held,
        balance.debt,
        or_dash(replay.plan.as_ref())
    );
    let compared = match (replay.whole, replay.differences.as_slice()) {
        (false, _) => "Only a part was replayed, so nothing was compared.".to_owned(),
        (true, []) => "Callers see the same.".to_owned(),
        (true, differences) => format!("CALLERS ARE TOLD SOMETHING ELSE:\n  {}", differences.join("\n  ")),
    };
    format!("{table}\n{now}\n{compared}")
}

fn cells(step: &ReplayStep) -> [String; 10] {
    [
        step.sequence.to_string(),
        step.position.0.to_string(),
        step.effective_at.to_string(),
        step.event_type.to_owned(),
        step.balance.available.to_string(),
        step.balance.held.to_string(),
        step.balance.debt.to_string(),
        or_dash(step.plan.as_ref()),
        step.metadata.actor.to_string(),
        step.recorded_at.to_string(),
    ]
}

impl Verify {
    async fn run(self, output: Output) -> CliResult {
        let Self { journal_only, since, shard, flags } = self;
        let journal_only = journal_only || !since.is_empty() || shard.is_some();
        let verified = session::with(&flags, async |session: &CliSession| {
            let mut verified = verify_journal(session, since, shard.map(Shard), output).await?;
            if !journal_only {
                verify_read_models(session, &mut verified, output).await?;
            }
            Ok(verified)
        })
        .await?;
        output.answer(&verified, || verification_text(&verified))?;
        Ok(if verified.is_clean() { Exit::Success } else { Exit::No })
    }
}

async fn verify_journal(
    session: &CliSession,
    since: Vec<VerifiedHead>,
    shard: Option<Shard>,
    output: Output,
) -> Result<Verification, CliFailure> {
    let progress = output.progress("journal", 0);
    let report = |checked: u64, all: u64| {
        progress.set_length(all);
        progress.set_position(checked);
    };
    let parts = parts(&session.pool).await.map_err(CliFailure::broken)?;
    let since = of_their_shards(since, shard, &parts)?;
    // The database works for each of them as long as this program does.
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let most = usize::try_from(session.pool.options().get_max_connections()).unwrap_or(1);
    let connections = processors.min(most);
    let scope = AuditScope { since, shard, connections };
    let verified = audit::verify_journal(&session.pool, &scope, report).await;
    let verified = verified.map_err(CliFailure::broken)?;
    progress.finish_and_clear();
    Ok(verified)
}

/// The shards whose heads are there.
async fn parts(pool: &sqlx::PgPool) -> Result<Vec<ShardPart>, sqlx::Error> {
    journal::shards::parts(&mut *pool.acquire().await?).await
}

/// Heads that were verified before, each with its shard if there are several.
fn of_their_shards(
    mut since: Vec<VerifiedHead>,
    only: Option<Shard>,
    parts: &[ShardPart],
) -> Result<Vec<VerifiedHead>, CliFailure> {
    let shards: Vec<Shard> = parts.iter().map(|part| Shard(part.shard)).collect();
    let named = since.iter().filter_map(|head| head.shard).chain(only);
    if let Some(shard) = named.into_iter().find(|asked| !shards.contains(asked)) {
        let known = numbers(&shards);
        return Err(CliFailure::Usage(format!("there is no shard {}; there are {known}", shard.0)));
    }
    if shards.len() > 1 {
        // As it was shown before the ledger was grown.
        let first = parts.iter().find(|part| part.sharding == 0 && part.slots == 1);
        let first = first.map(|part| Shard(part.shard));
        since.iter_mut().for_each(|head| head.shard = head.shard.or(first));
    }
    let is_twice = |(index, head): (usize, &VerifiedHead)| {
        since.iter().take(index).any(|other| other.shard == head.shard)
    };
    let is_other = |head: &VerifiedHead| only.is_some() && head.shard.is_some() && head.shard != only;
    if since.iter().enumerate().any(is_twice) || since.iter().any(is_other) {
        let expected = "one head for each shard is expected, and with --shard only that of this shard";
        return Err(CliFailure::Usage(expected.to_owned()));
    }
    if shards.len() > 1 && since.iter().any(|head| head.shard.is_none()) {
        return Err(CliFailure::Usage(format!(
            "the journal has several shards: each head comes after the number of its own and a slash; there are {}",
            numbers(&shards)
        )));
    }
    Ok(since)
}

fn numbers(shards: &[Shard]) -> String {
    shards.iter().map(|shard| shard.0.to_string()).collect::<Vec<_>>().join(", ")
}

async fn verify_read_models(
    session: &CliSession,
    verified: &mut Verification,
    output: Output,
) -> Result<(), CliFailure> {
    let projector = open_projector(&session.pool, Feed::new(session.pool.clone()), &session.clock)
        .await
        .map_err(CliFailure::broken)?;
    let progress = output.progress("read models", 0);
    let report = |name: &str, position: i64, goal: i64| {
        progress.set_message(name.to_owned());
        progress.set_length(u64::try_from(goal).unwrap_or(0));
        progress.set_position(u64::try_from(position).unwrap_or(0));
    };
    audit::verify_read_models(&projector, verified, report).await.map_err(CliFailure::broken)?;
    progress.finish_and_clear();
    Ok(())
}

fn verification_text(verified: &Verification) -> String {
    let Verification {
        since,
        events,
        blocks,
        accounts,
        snapshots,
        head,
        position,
        shards,
        read_models,
        left_out,
        findings,
    } = verified;
    let since = match (since, shards.len()) {
        (0, _) => String::new(),
        (since, 0 | 1) => format!(" after position {since}"),
        (since, _) => format!(" after {since} that were verified before"),
    };
    let left_out = if left_out.is_empty() {
        String::new()
    } else {
        format!(" Not {}, whose rows change as time passes.", left_out.join(", "))
    };
    // Nothing of a shard without events was verified.
    let begun: Vec<String> = shards
        .iter()
        .filter(|end| end.position > 0)
        .map(|VerifiedShard { shard, position, head }| format!("{}/{position}:{head}", shard.0))
        .collect();
    let (place, since_next) = match shards.as_slice() {
        [] => (format!("Head at position {position}"), format!("{position}:{head}")),
        [only] => (format!("Head of shard {} at position {position}", only.shard.0), begun.join(",")),
        all => (format!("Root over {} shards with {position} events", all.len()), begun.join(",")),
    };
    let looked_at = format!(
        "{events} events in {blocks} blocks{since}, {accounts} accounts, {snapshots} snapshots and {} read models were \
         checked.{left_out}\n{place}: {head}\nThe next time, only what comes after it: counterfoil audit verify --since {since_next}",
        read_models.len()
    );
    if findings.is_empty() {
        return format!("{looked_at}\nEverything is as it was written.");
    }
    let mut table = table(["problem", "shard", "position", "block", "account", "what is wrong"]);
    for AuditFinding { problem, shard, position, block, account, detail } in findings {
        let problem = serde_json::to_value(problem).ok();
        let problem = problem.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('_', " ");
        table.add_row([
            problem,
            or_dash(shard.map(|shard| shard.0).as_ref()),
            or_dash(position.as_ref()),
            or_dash(block.as_ref()),
            or_dash(account.as_ref()),
            detail.clone(),
        ]);
    }
    format!("{looked_at}\nNOT EVERYTHING IS AS IT WAS WRITTEN:\n{table}")
}
