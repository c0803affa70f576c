//! `counterfoil import`: how are accounts imported that were kept elsewhere?

mod columns;
mod csv;
mod entry;
mod file;
mod ndjson;
mod report;
mod run;
mod stop;

use std::{path::PathBuf, sync::Arc};

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    app::{catalogs, mode},
    ledger::Ledger,
    stripe::inbound::inbox::Inbox,
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::Output,
    session::{self, CliSession},
};

use self::{
    file::{Check, File},
    report::ImportReport,
    run::Run,
    stop::Stop,
};

const ACCOUNTS_HELP: &str = "\
Every line is read before anything is changed. An account is imported once: the same file again changes nothing, and \
a run that was interrupted is taken up by running it again. After a first ctrl-C it finishes what is on its way and \
says how far it came; a second one ends it at once. docs/MOVING.md says what a file has.

Examples:
  counterfoil import accounts accounts.csv --dry-run
  counterfoil import accounts accounts.ndjson --continue --json";

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Open accounts as they were elsewhere
    #[command(after_help = ACCOUNTS_HELP)]
    Accounts(ImportAccounts),
}

#[derive(Args)]
pub(super) struct ImportAccounts {
    /// The file
    file: PathBuf,
    /// The format of the file; without it, the end of its name decides
    #[arg(long)]
    format: Option<Format>,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Continue after an account that is refused
    #[arg(long = "continue")]
    goes_on: bool,
    #[command(flatten)]
    flags: DatabaseFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line with the names of the columns, then one line per grant
    Csv,
    /// One JSON object a line, one line per account
    Ndjson,
}

impl ImportCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::Accounts(accounts) => accounts.run(output).await,
        }
    }
}

impl ImportAccounts {
    async fn run(self, output: Output) -> CliResult {
        let Self { file, format, dry_run, goes_on, flags } = self;
        let file = File::new(file, format)?;
        let stop = &Stop::default();
        let work = session::with_catalog(&flags, async |session: &CliSession, catalog| {
            let checked = check(&file, output, stop).await?;
            if stop.is_asked() {
                return Ok(ImportReport::of_nothing(dry_run));
            }
            if !checked.mistakes.is_empty() {
                return Ok(ImportReport::of_mistakes(checked, dry_run));
            }
            let clock = session.clock.clone();
            if !dry_run {
                mode::enter(&session.pool, session.config.mode, &clock).await.map_err(CliFailure::broken)?;
                catalogs::remember(&session.pool, &catalog, &clock).await.map_err(CliFailure::broken)?;
            }
            let started = Ledger::start(session.pool.clone(), Arc::new(catalog.catalog), clock);
            let (ledger, running) = started.await.map_err(CliFailure::broken)?;
            let progress = output.progress(if dry_run { "looking" } else { "importing" }, checked.accounts);
            let inbox = Inbox::new(session.pool.clone());
            let run = Run { file: &file, ledger, inbox, dry_run, goes_on, stop, progress: &progress };
            let report = run.run().await;
            progress.finish_and_clear();
            // The ledger ends when it is no longer used.
            running.finished().await;
            report
        });
        let report = stop.at_a_signal(output, work).await?;
        output.answer(&report, || report.text())?;
        Ok(if report.is_whole() { Exit::Success } else { Exit::No })
    }
}

/// Reads the whole file in a thread of its own, so that work with the database is not delayed.
async fn check(file: &File, output: Output, stop: &Stop) -> Result<Check, CliFailure> {
    let progress = output.progress("reading", file.bytes()?);
    let (read, bar, stop) = (file.clone(), progress.clone(), stop.clone());
    let checked = tokio::task::spawn_blocking(move || file::check(&read, &bar, &stop)).await;
    progress.finish_and_clear();
    checked.map_err(CliFailure::broken)?
}
