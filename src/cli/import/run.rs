//! How is a file imported? Each account becomes a command, many at a time, so that the ledger writes them together.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::StreamExt;
use indicatif::ProgressBar;
use tokio::sync::mpsc;

use crate::{
    domain::{
        account::Account,
        decide::{Context, decide},
        ids::Actor,
        refusal::Refusal,
    },
    http::{Explain as _, MovedAccount},
    ledger::{ExecuteError, Ledger, Origin, Provenance, Repeated},
    stripe::inbound::{account_import, inbox::Inbox},
};

use super::{
    super::exit::CliFailure,
    entry::{ImportEntry, LineMistake, LineMistakes},
    file::{Entries, File},
    report::ImportReport,
    stop::Stop,
};

/// How many accounts are imported at a time. Their commands wait in the ledger, which writes them together.
const IN_HAND_MAX: usize = 2_048;
/// How many accounts a dry run checks at a time. Each needs the database, so there are fewer than connections.
const LOOKED_AT_MAX: usize = 6;
/// How many accounts may have been read and wait.
const READ_AHEAD_MAX: usize = 4_096;
/// How often an account is tried if its outcome was unknown, or the queue was full.
const TRIES_MAX: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(500);

pub(super) struct Run<'a> {
    pub file: &'a File,
    pub ledger: Ledger,
    pub inbox: Inbox,
    pub dry_run: bool,
    pub goes_on: bool,
    pub stop: &'a Stop,
    pub progress: &'a ProgressBar,
}

/// The outcome for an account.
enum ImportedAs {
    Imported,
    ThereAlready,
    Refused(String),
}

impl Run<'_> {
    /// # Errors
    /// If the file cannot be read, or the ledger does not accept commands.
    pub(super) async fn run(self) -> Result<ImportReport, CliFailure> {
        let entries = self.file.entries(&ProgressBar::hidden())?;
        let (sender, receiver) = mpsc::channel(READ_AHEAD_MAX);
        let reading = tokio::task::spawn_blocking(move || read(entries, &sender));
        let (refusal, run) = (AtomicBool::new(false), &self);
        let entries = futures::stream::unfold(receiver, async |mut receiver| {
            let entry = receiver.recv().await?;
            Some((entry, receiver))
        });
        let (refusal, left_out) = (&refusal, &AtomicBool::new(false));
        let entries = entries.take_while(|_| {
            let goes_on = !refusal.load(Ordering::Relaxed) && !self.stop.is_asked();
            left_out.fetch_or(!goes_on, Ordering::Relaxed);
            std::future::ready(goes_on)
        });
        let at_once = if self.dry_run { LOOKED_AT_MAX } else { IN_HAND_MAX };
        let mut done = Box::pin(entries.map(|entry| run.become_of(entry)).buffer_unordered(at_once));
        let mut report = ImportReport { dry_run: self.dry_run, ..ImportReport::default() };
        let (mut refused, mut broken) = (LineMistakes::default(), None);
        while let Some((line, account, became)) = done.next().await {
            self.progress.inc(1);
            match became {
                Ok(ImportedAs::Imported) => report.imported = report.imported.saturating_add(1),
                Ok(ImportedAs::ThereAlready) => report.there_already = report.there_already.saturating_add(1),
                Ok(ImportedAs::Refused(reason)) => {
                    refused.note(LineMistake { line, account, reason });
                    refusal.fetch_or(!self.goes_on && !self.dry_run, Ordering::Relaxed);
                }
                Err(failure) => {
                    broken.get_or_insert(failure);
                    refusal.store(true, Ordering::Relaxed);
                }
            }
        }
        drop(done);
        let is_left_out = left_out.load(Ordering::Relaxed);
        report.stopped = is_left_out && refusal.load(Ordering::Relaxed);
        report.interrupted = is_left_out && !report.stopped;
        reading.await.map_err(CliFailure::broken)?;
        broken.map_or_else(|| Ok(report.with_refused(refused)), Err)
    }

    async fn become_of(
        &self,
        entry: Result<ImportEntry, LineMistake>,
    ) -> (u64, Option<String>, Result<ImportedAs, CliFailure>) {
        let ImportEntry { line, account } = match entry {
            Ok(entry) => entry,
            // The file was checked before, and has changed since.
            Err(LineMistake { line, account, reason }) => {
                return (line, account, Ok(ImportedAs::Refused(reason)));
            }
        };
        let id = account.account.to_string();
        let became = if self.dry_run { self.preview(account).await } else { self.import(account).await };
        (line, Some(id), became)
    }

    async fn import(&self, MovedAccount { account, import }: MovedAccount) -> Result<ImportedAs, CliFailure> {
        for _ in 0..TRIES_MAX {
            let places = (&self.ledger, &self.inbox);
            let imported =
                account_import::import(places, account.clone(), import.clone(), provenance()?).await;
            match imported.map_err(CliFailure::broken)? {
                Ok(outcome) if outcome.replayed => return Ok(ImportedAs::ThereAlready),
                Ok(_) => return Ok(ImportedAs::Imported),
                Err(ExecuteError::Refused(refusal)) => {
                    return Ok(ImportedAs::Refused(refusal.explain().detail()));
                }
                Err(ExecuteError::KeyReused) => {
                    return Ok(ImportedAs::Refused(Refusal::AccountAlreadyOpen.explain().detail()));
                }
                // Repeating the import is harmless.
                Err(ExecuteError::Overloaded | ExecuteError::OutcomeUnknown | ExecuteError::Unavailable) => {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error @ (ExecuteError::ClockBehind { .. } | ExecuteError::Damaged)) => {
                    return Err(CliFailure::broken(error));
                }
            }
        }
        Err(CliFailure::broken(ExecuteError::Unavailable))
    }

    /// What an import would do.
    async fn preview(
        &self,
        MovedAccount { account, import }: MovedAccount,
    ) -> Result<ImportedAs, CliFailure> {
        let refused = |refusal: Refusal| Ok(ImportedAs::Refused(refusal.explain().detail()));
        if let Some(customer) = &import.customer {
            let links = self.inbox.customer_links();
            if links.stands_for_another(customer, &account).await.map_err(CliFailure::broken)? {
                return refused(Refusal::CustomerTaken);
            }
        }
        let view = self.ledger.view(&account).await.map_err(CliFailure::broken)?;
        let request = account_import::request(account, import, provenance()?);
        if view.account.opened().is_some() {
            let earlier = self.ledger.find_repeated(&request).await.map_err(CliFailure::broken)?;
            match earlier {
                Some(Repeated::Same) => return Ok(ImportedAs::ThereAlready),
                Some(Repeated::Another) => return refused(Refusal::AccountAlreadyOpen),
                None => {}
            }
        }
        let context = Context { at: self.ledger.clock().now(), catalog: self.ledger.catalog() };
        let account: &Account = &view.account;
        match decide(account, request.command(), context) {
            Ok(_) => Ok(ImportedAs::Imported),
            Err(refusal) => refused(refusal),
        }
    }
}

fn provenance() -> Result<Provenance, CliFailure> {
    Ok(Provenance {
        actor: Actor::parse("import").map_err(CliFailure::broken)?,
        origin: Origin::Operator,
        correlation_id: None,
        causation_id: None,
        stripe_event: None,
    })
}

/// Reads until nobody needs more accounts.
fn read(entries: Entries, sender: &mpsc::Sender<Result<ImportEntry, LineMistake>>) {
    for entry in entries {
        if sender.blocking_send(entry).is_err() {
            return;
        }
    }
}
