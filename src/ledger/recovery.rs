//! What if a batch could not be stored as it was decided, or nobody knows whether it was?
//!
//! Everything is decided again, under the lock on the journal's head, so that nothing can change meanwhile:
//! first it is looked up which of the commands are in the journal already, by their keys and generations, then the
//! accounts are brought up to date, then what is left is decided and stored in the same transaction. An append that was
//! lost on the way can come later, but then finds the head moved and is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use sqlx::{Acquire, PgConnection};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{Position, RecordedEvent},
    },
    journal::{
        append::{self, AppendError},
        find,
        load::{self, LoadError, LoadedAccount},
        row::{NewRow, RowError},
    },
};

use super::{
    batch::Decided,
    decider::{Decider, NoDecision},
    idempotency_cache,
    request::{AccountUnique, ExecuteError, ExecuteResult, Job},
    writer::Writer,
};

/// How often a batch that the database refuses for no known reason is tried.
const TRIES_MAX: u32 = 5;
const BACKOFF_FIRST: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// How long commands wait for a database that is away. Those that come after that are refused at once, until it is
/// back.
const AWAY_MAX: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("an account cannot be brought up to date")]
    Load(#[from] LoadError),
    #[error("an earlier command cannot be read")]
    Row(#[from] RowError),
    #[error("the batch was not stored")]
    Append(#[from] AppendError),
    #[error("the batch may not have been stored")]
    Commit(#[source] AppendError),
}

impl From<sqlx::Error> for ResolveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Append(AppendError::from(error))
    }
}

impl ResolveError {
    /// Whether the connection is to blame, so that only waiting helps.
    fn is_connection(&self) -> bool {
        match self {
            Self::Append(AppendError::Unknown(_)) | Self::Commit(AppendError::Unknown(_)) => true,
            Self::Load(LoadError::Database(error)) | Self::Row(RowError::Column(error)) => {
                append::is_broken(error)
            }
            Self::Load(_) | Self::Row(_) | Self::Append(_) | Self::Commit(_) => false,
        }
    }

    /// Whether the batch may be in the journal all the same.
    const fn may_be_stored(&self) -> bool {
        matches!(self, Self::Commit(AppendError::Unknown(_)))
    }
}

/// What a transaction has decided.
struct ResolvedTransaction {
    head: Position,
    verdicts: Vec<Verdict>,
    accounts: FxHashMap<AccountId, LoadedAccount>,
}

enum Verdict {
    /// The command is in the journal already.
    Found(Arc<Vec<RecordedEvent>>),
    Decided(Result<Vec<RecordedEvent>, ExecuteError>),
    /// Another command of the same batch has the same key, or is for the same generation.
    Repeat,
}

fn warn(error: Option<&ResolveError>, commands: usize) {
    let error = error.map(|error| error as &(dyn std::error::Error + 'static));
    tracing::warn!(error, commands, "commands wait for the database");
}

impl Writer {
    /// Decides jobs under the lock, until they are stored or known not to be. `may_be_stored` says that an
    /// earlier attempt may have stored them.
    pub(super) async fn resolve(&mut self, jobs: Vec<Job>, mut may_be_stored: bool) {
        self.state.decided = self.state.head;
        let mut backoff = BACKOFF_FIRST;
        let mut tries = 0;
        loop {
            let error = match self.connect().await {
                None => None,
                Some(mut connection) => match self.try_resolve(&mut connection, &jobs).await {
                    Ok(resolved) => {
                        self.works();
                        self.state.connection = Some(connection);
                        self.adopt(jobs, resolved);
                        return;
                    }
                    Err(error) => Some(error),
                },
            };
            may_be_stored |= error.as_ref().is_some_and(ResolveError::may_be_stored);
            let connection_is_to_blame = error.as_ref().is_none_or(ResolveError::is_connection);
            let away_since = *self.state.away_since.get_or_insert_with(Instant::now);
            if !connection_is_to_blame {
                tries += 1;
            }
            warn(error.as_ref(), jobs.len());
            if tries >= TRIES_MAX || connection_is_to_blame && away_since.elapsed() >= AWAY_MAX {
                // It is not there, or answered each time and stored nothing: not now, that is. What may be stored moved
                // the journal's head then, so nothing is decided on a state that has passed.
                self.unstored.note();
                let answer =
                    if may_be_stored { ExecuteError::OutcomeUnknown } else { ExecuteError::Unavailable };
                jobs.into_iter().for_each(|job| job.answer(Err(answer.clone())));
                return;
            }
            tokio::time::sleep(backoff).await;
            backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
        }
    }

    async fn try_resolve(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<ResolvedTransaction, ResolveError> {
        let mut transaction = connection.begin().await?;
        let locked = append::lock_head(&mut transaction, self.shard).await?;
        let found = self.find_uniques(&mut transaction, jobs).await?;
        let mut accounts = self.bring_up_to_date(&mut transaction, jobs).await?;
        let recorded_at = self.clock.now();
        let mut last = locked;
        let mut desk = Decider { shard: self.shard, catalog: &self.catalog, recorded_at, last: &mut last };
        let mut rows: Vec<NewRow> = Vec::new();
        let mut taken = BTreeSet::new();
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            if let Some(events) = job.request.uniques().find_map(|unique| found.get(&unique)) {
                verdicts.push(Verdict::Found(Arc::clone(events)));
                continue;
            }
            if job.request.uniques().any(|unique| taken.contains(&unique)) {
                verdicts.push(Verdict::Repeat);
                continue;
            }
            let Some(known) = accounts.get_mut(&job.request.account) else {
                verdicts.push(Verdict::Decided(Err(ExecuteError::Damaged)));
                continue;
            };
            let decided = desk.take(job, known, |_| {});
            verdicts.push(Verdict::Decided(match decided {
                Ok(decision) => {
                    if !decision.events.is_empty() {
                        taken.extend(job.request.uniques());
                    }
                    rows.extend(decision.rows);
                    Ok(decision.events)
                }
                Err(NoDecision::Refused(refusal)) => Err(ExecuteError::Refused(refusal)),
                Err(NoDecision::Damaged) => Err(ExecuteError::Damaged),
            }));
        }
        let mut head = locked;
        if !rows.is_empty() {
            head = append::append(&mut transaction, self.shard, locked, recorded_at, &rows).await?;
        }
        transaction.commit().await.map_err(|error| ResolveError::Commit(error.into()))?;
        Ok(ResolvedTransaction { head, verdicts, accounts })
    }

    async fn find_uniques(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<BTreeMap<AccountUnique, Arc<Vec<RecordedEvent>>>, ResolveError> {
        let uniques: BTreeSet<AccountUnique> = jobs.iter().flat_map(|job| job.request.uniques()).collect();
        let uniques: Vec<AccountUnique> = uniques.into_iter().collect();
        let found = find::by_uniques(connection, self.shard, &uniques).await?;
        Ok(found.into_iter().map(|(unique, events)| (unique, Arc::new(events))).collect())
    }

    /// The accounts of the jobs, as they are under the lock. One whose history is damaged is left out.
    async fn bring_up_to_date(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<FxHashMap<AccountId, LoadedAccount>, ResolveError> {
        let ids: BTreeSet<&AccountId> = jobs.iter().map(|job| &job.request.account).collect();
        let known: Vec<LoadedAccount> = ids
            .into_iter()
            .map(|id| {
                self.state.accounts.get(id).cloned().unwrap_or_else(|| LoadedAccount::nothing(id.clone()))
            })
            .collect();
        let current = match load::advance(connection, self.shard, known.clone()).await {
            Ok(current) => current,
            Err(LoadError::Row(_) | LoadError::Corrupt { .. }) => self.one_by_one(connection, known).await?,
            Err(error) => return Err(error.into()),
        };
        Ok(current.into_iter().map(|known| (known.id.clone(), known)).collect())
    }

    async fn one_by_one(
        &self,
        connection: &mut PgConnection,
        known: Vec<LoadedAccount>,
    ) -> Result<Vec<LoadedAccount>, ResolveError> {
        let mut current = Vec::with_capacity(known.len());
        for known in known {
            match load::advance(connection, self.shard, vec![known]).await {
                Ok(known) => current.extend(known),
                Err(error @ (LoadError::Row(_) | LoadError::Corrupt { .. })) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "an account is damaged");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(current)
    }

    /// Takes over what is stored now, and answers.
    fn adopt(&mut self, jobs: Vec<Job>, resolved: ResolvedTransaction) {
        let ResolvedTransaction { head, verdicts, accounts } = resolved;
        self.state.head = head;
        self.state.decided = head;
        self.positions.send_replace(head);
        self.restore(accounts.into_iter());
        let mut repeats = Vec::new();
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Found(events) => {
                    self.state.recent.insert(&job, &events);
                    let answer: ExecuteResult = idempotency_cache::replay(&job, events);
                    job.answer(answer);
                }
                Verdict::Decided(Ok(events)) => {
                    let recent = &mut self.state.recent;
                    let decided = Decided { job, verdict: Ok(events) };
                    decided.answer(head, |job, events| recent.insert(job, events));
                }
                Verdict::Decided(Err(error)) => job.answer(Err(error)),
                Verdict::Repeat => repeats.push(job),
            }
        }
        repeats.into_iter().for_each(|job| self.take(job));
    }
}
