//! What is an account, or the business, now? For everything that shows it: the API, pages and the command line.

mod account;
pub mod credits;
pub mod csv;
pub mod deferred;
mod freshness;
mod reports;
pub mod revenue;
pub mod runway;
pub mod statement;
pub mod summary;
pub mod usage;

pub use account::{AccountNow, account_now};
pub use freshness::{Freshness, require_known};
pub use reports::ReportSource;

use sqlx::{PgPool, Postgres, Transaction};

use crate::{
    domain::{recorded::JournalPositions, refusal::Refusal},
    journal::load::LoadError,
    ledger::ViewError,
    projector::ProjectorError,
};

/// The most days of one question about figures.
pub const FIGURE_DAYS_MAX: i64 = 3_660;

/// A transaction in which all queries read what there was at one moment.
async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    pool.begin_with("begin isolation level repeatable read, read only").await
}

/// Why a query cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("the account cannot be read")]
    View(#[from] ViewError),
    #[error("what is due cannot be added up: {0:?}")]
    Unsettled(Refusal),
    #[error("the computation was aborted")]
    Stopped(#[from] tokio::task::JoinError),
    #[error("there is no such account")]
    AccountNotFound,
    #[error("the journal has no such position")]
    PositionUnknown,
    #[error("the read model did not reach the position in time")]
    PositionTimeout { reached: JournalPositions },
    #[error("the read model's position cannot be read")]
    Projector(#[from] ProjectorError),
    #[error("the journal cannot be read")]
    Journal(#[from] sqlx::Error),
}

impl From<LoadError> for QueryError {
    fn from(error: LoadError) -> Self {
        Self::View(error.into())
    }
}
