//! How is a batch decided again under the journal's lock, until it is stored or known not to be?

use std::time::{Duration, Instant};

use sqlx::{Acquire, PgConnection};

use crate::{
    domain::recorded::{Position, Shard},
    journal::{
        append::{self, AppendError},
        find,
        load::{self, LoadError, LoadedAccount},
        row::RowError,
    },
};

use super::{
    sequencer::{Locked, RecoveryRequest, Redecided},
    shard::ShardTask,
};

/// How often a batch is tried that the database refuses for an unknown reason.
const TRIES_MAX: u32 = 5;
const BACKOFF_FIRST: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// How long commands wait for a database that does not answer.
/// Later commands are refused at once until it answers again.
const AWAY_MAX: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
enum RecoveryError {
    #[error("an account cannot be brought up to date")]
    Load(#[from] LoadError),
    #[error("an earlier command cannot be read")]
    Row(#[from] RowError),
    #[error("the batch was not stored")]
    Append(#[from] AppendError),
    #[error("the batch may not have been stored")]
    Commit(#[source] AppendError),
}

impl From<sqlx::Error> for RecoveryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Append(AppendError::from(error))
    }
}

impl RecoveryError {
    /// Whether the connection is the cause, so that waiting may help.
    fn is_connection(&self) -> bool {
        match self {
            Self::Append(AppendError::Unknown(_)) | Self::Commit(AppendError::Unknown(_)) => true,
            Self::Load(LoadError::Database(error)) | Self::Row(RowError::Column(error)) => {
                append::is_broken(error)
            }
            Self::Load(_) | Self::Row(_) | Self::Append(_) | Self::Commit(_) => false,
        }
    }

    /// Whether another program has grown the ledger, so that this one can store nothing any more.
    const fn is_grown(&self) -> bool {
        matches!(self, Self::Append(AppendError::Grown))
    }

    /// Whether the batch may be stored in spite of the error.
    const fn may_be_stored(&self) -> bool {
        matches!(self, Self::Commit(AppendError::Unknown(_)))
    }
}

impl ShardTask {
    /// Decides again what the sequencer asks for, if anything.
    pub(super) async fn recover(&mut self) {
        let mut backoff = BACKOFF_FIRST;
        let mut tries = 0;
        while let Some(request) = self.sequencer.recovery() {
            let commands = request.commands;
            let error = match self.connect().await {
                None => None,
                Some(mut connection) => match self.try_recover(&mut connection, request).await {
                    Ok((redecided, head)) => {
                        self.connection = Some(connection);
                        self.stores_again();
                        self.sequencer.recovered(redecided, head, self.clock.now());
                        self.tell_position();
                        return;
                    }
                    Err(error) => Some(error),
                },
            };
            self.sequencer.recovery_failed(error.as_ref().is_some_and(RecoveryError::may_be_stored));
            let connection_is_to_blame = error.as_ref().is_none_or(RecoveryError::is_connection);
            let away_since = *self.away_since.get_or_insert_with(Instant::now);
            if !connection_is_to_blame {
                tries += 1;
            }
            warn(error.as_ref(), commands);
            if error.as_ref().is_some_and(RecoveryError::is_grown) {
                self.grown.cancel();
                self.sequencer.give_up_recovery(self.clock.now());
                return;
            }
            if tries >= TRIES_MAX || connection_is_to_blame && away_since.elapsed() >= AWAY_MAX {
                // The database does not answer, or answers and stores nothing: commands cannot be stored now.
                self.unstored.note();
                self.sequencer.give_up_recovery(self.clock.now());
                return;
            }
            tokio::time::sleep(backoff).await;
            backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
        }
    }

    async fn try_recover(
        &self,
        connection: &mut PgConnection,
        request: RecoveryRequest,
    ) -> Result<(Redecided, Position), RecoveryError> {
        let mut transaction = connection.begin().await?;
        let mut head = append::lock_head(&mut transaction, self.shard).await?;
        let found = find::by_uniques(&mut transaction, self.shard, &request.uniques).await?;
        let accounts = bring_up_to_date(&mut transaction, self.shard, request.accounts).await?;
        let redecided = self.sequencer.decide_again(Locked { head, found, accounts }, self.clock.now());
        let append = &redecided.append;
        if !append.rows.is_empty() {
            head = append::append(&mut transaction, append.block()).await?;
        }
        transaction.commit().await.map_err(|error| RecoveryError::Commit(error.into()))?;
        Ok((redecided, head))
    }
}

/// The accounts under the lock. Damaged ones are left out.
async fn bring_up_to_date(
    connection: &mut PgConnection,
    shard: Shard,
    known: Vec<LoadedAccount>,
) -> Result<Vec<LoadedAccount>, LoadError> {
    match load::advance(connection, shard, known.clone()).await {
        Err(LoadError::Row(_) | LoadError::Corrupt { .. }) => {}
        current => return current,
    }
    let mut current = Vec::with_capacity(known.len());
    for known in known {
        match load::advance(connection, shard, vec![known]).await {
            Ok(known) => current.extend(known),
            Err(error @ (LoadError::Row(_) | LoadError::Corrupt { .. })) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an account is damaged");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(current)
}

fn warn(error: Option<&RecoveryError>, commands: usize) {
    let error = error.map(|error| error as &(dyn std::error::Error + 'static));
    tracing::warn!(error, commands, "commands wait for the database");
}
