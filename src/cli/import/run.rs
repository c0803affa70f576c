//! Every account of a file becomes a command, many of them at a time, so that the ledger writes them together.

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
        command::Command,
        decide::{Context, decide},
        names::Actor,
        refusal::Refusal,
    },
    http::{MovedAccount, detail_of_refusal},
    ledger::{ExecuteError, Ledger, Origin, Provenance},
    stripe::{inbox::Inbox, moving},
};

use super::{
    super::exit::Failure,
    file::{Entries, Entry, File, Mistake},
    report::Report,
};

/// How many accounts are on their way at a time.
const IN_HAND_MAX: usize = 2_048;
/// How many have been read and wait.
const READ_AHEAD_MAX: usize = 4_096;
/// How often an account is tried whose outcome was not known, or for which there was no room.
const TRIES_MAX: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(500);

pub(super) struct Run<'a> {
    pub file: &'a File,
    pub ledger: Ledger,
    pub inbox: Inbox,
    pub dry_run: bool,
    pub goes_on: bool,
    pub progress: &'a ProgressBar,
}

/// What became of an account.
enum Became {
    Imported,
    ThereAlready,
    Refused(String),
}

impl Run<'_> {
    /// # Errors
    /// When the file cannot be read, or the ledger takes no commands.
    pub(super) async fn run(self) -> Result<Report, Failure> {
        let entries = self.file.entries(&ProgressBar::hidden())?;
        let (sender, receiver) = mpsc::channel(READ_AHEAD_MAX);
        let reading = tokio::task::spawn_blocking(move || read(entries, &sender));
        let (stop, run) = (AtomicBool::new(false), &self);
        let entries = futures::stream::unfold(receiver, async |mut receiver| {
            let entry = receiver.recv().await?;
            Some((entry, receiver))
        });
        let stop = &stop;
        let entries = entries.take_while(|_| std::future::ready(!stop.load(Ordering::Relaxed)));
        let mut done = Box::pin(entries.map(|entry| run.become_of(entry)).buffer_unordered(IN_HAND_MAX));
        let mut report = Report { dry_run: self.dry_run, ..Report::default() };
        let mut broken = None;
        while let Some((line, account, became)) = done.next().await {
            self.progress.inc(1);
            match became {
                Ok(Became::Imported) => report.imported = report.imported.saturating_add(1),
                Ok(Became::ThereAlready) => report.there_already = report.there_already.saturating_add(1),
                Ok(Became::Refused(reason)) => {
                    report.refuse(Mistake { line, account, reason });
                    stop.fetch_or(!self.goes_on && !self.dry_run, Ordering::Relaxed);
                }
                Err(failure) => {
                    broken.get_or_insert(failure);
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        report.stopped = stop.load(Ordering::Relaxed);
        drop(done);
        reading.await.map_err(Failure::broken)?;
        broken.map_or(Ok(report), Err)
    }

    async fn become_of(
        &self,
        entry: Result<Entry, Mistake>,
    ) -> (u64, Option<String>, Result<Became, Failure>) {
        let Entry { line, account } = match entry {
            Ok(entry) => entry,
            // The file was read before, and was another one then.
            Err(Mistake { line, account, reason }) => return (line, account, Ok(Became::Refused(reason))),
        };
        let id = account.account.to_string();
        let became = if self.dry_run { self.foresee(account).await } else { self.import(account).await };
        (line, Some(id), became)
    }

    async fn import(&self, MovedAccount { account, import }: MovedAccount) -> Result<Became, Failure> {
        for _ in 0..TRIES_MAX {
            let places = (&self.ledger, &self.inbox);
            let imported = moving::import(places, account.clone(), import.clone(), provenance()?).await;
            match imported.map_err(Failure::broken)? {
                Ok(outcome) if outcome.replayed => return Ok(Became::ThereAlready),
                Ok(_) => return Ok(Became::Imported),
                Err(ExecuteError::Refused(refusal)) => {
                    return Ok(Became::Refused(detail_of_refusal(&refusal)));
                }
                Err(ExecuteError::KeyReused) => {
                    return Ok(Became::Refused(detail_of_refusal(&Refusal::AccountAlreadyOpen)));
                }
                // The same again does nothing twice.
                Err(ExecuteError::Overloaded | ExecuteError::OutcomeUnknown | ExecuteError::Unavailable) => {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error @ (ExecuteError::ClockBehind { .. } | ExecuteError::Damaged)) => {
                    return Err(Failure::broken(error));
                }
            }
        }
        Err(Failure::broken(ExecuteError::Unavailable))
    }

    /// What an import would come to. Whether an account that moved in had just this is only known to an import.
    async fn foresee(&self, MovedAccount { account, import }: MovedAccount) -> Result<Became, Failure> {
        let view = self.ledger.view(&account).await.map_err(Failure::broken)?;
        if view.account.opened().is_some_and(|open| open.subscriptions.moved_in().is_some()) {
            return Ok(Became::ThereAlready);
        }
        let context = Context { at: self.ledger.clock().now(), catalog: self.ledger.catalog() };
        let is_taken = match &import.customer {
            Some(customer) => {
                self.inbox.stands_for_another(customer, &account).await.map_err(Failure::broken)?
            }
            None => false,
        };
        if is_taken {
            return Ok(Became::Refused(detail_of_refusal(&Refusal::CustomerTaken)));
        }
        let account: &Account = &view.account;
        Ok(match decide(account, &Command::ImportAccount(Box::new(import)), context) {
            Ok(_) => Became::Imported,
            Err(refusal) => Became::Refused(detail_of_refusal(&refusal)),
        })
    }
}

fn provenance() -> Result<Provenance, Failure> {
    Ok(Provenance {
        actor: Actor::parse("import").map_err(Failure::broken)?,
        origin: Origin::Operator,
        correlation_id: None,
        causation_id: None,
        stripe_event: None,
    })
}

/// Reads on for as long as anybody wants more.
fn read(entries: Entries, sender: &mpsc::Sender<Result<Entry, Mistake>>) {
    for entry in entries {
        if sender.blocking_send(entry).is_err() {
            return;
        }
    }
}
