//! What is this ledger for: trying things out, Stripe's test mode, or real money?
//! The first start decides it for its database, for good, since customers and prices of one mode do not exist in
//! another, and a test card would buy credits.

use std::fmt;

use sqlx::PgPool;

use crate::{catalog::Mode, clock::Clock};

/// What a ledger is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerMode {
    /// The sandbox that `serve --sandbox` starts.
    Sandbox,
    /// Stripe's test mode.
    Test,
    /// Real money.
    Live,
}

/// The database is for another mode, or its mode cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ModeError {
    #[error(
        "the database is the ledger of mode `{known}`, and not of mode `{wanted}`. COUNTERFOIL_MODE or --sandbox sets \
         the mode; COUNTERFOIL_DATA_DIR or DATABASE_URL sets another database"
    )]
    Other { known: String, wanted: LedgerMode },
    #[error("the mode of the database cannot be read")]
    Database(#[from] sqlx::Error),
}

impl LedgerMode {
    #[must_use]
    pub const fn of(mode: Mode, sandboxed: bool) -> Self {
        match mode {
            Mode::Live => Self::Live,
            Mode::Test if sandboxed => Self::Sandbox,
            Mode::Test => Self::Test,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for LedgerMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Sets the mode of the database to `wanted`, if it has none yet.
///
/// # Errors
/// If it has another mode, or does not answer.
pub(super) async fn settle(pool: &PgPool, wanted: LedgerMode, clock: &Clock) -> Result<(), ModeError> {
    sqlx::query(include_str!("settle_mode.sql"))
        .bind(wanted.as_str())
        .bind(clock.now().to_utc())
        .execute(pool)
        .await?;
    match known(pool).await? {
        Some(known) if known != wanted.as_str() => Err(ModeError::Other { known, wanted }),
        Some(_) | None => Ok(()),
    }
}

/// Checks that the database's mode matches this Stripe mode. A sandbox matches the test mode.
///
/// # Errors
/// If it has another mode, or does not answer.
pub(crate) async fn check(pool: &PgPool, mode: Mode) -> Result<(), ModeError> {
    let wanted = LedgerMode::of(mode, false);
    match known(pool).await? {
        Some(known) if (known == LedgerMode::Live.as_str()) != (mode == Mode::Live) => {
            Err(ModeError::Other { known, wanted })
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks like [`check`], before something is written for this mode.
/// Live mode is set if the database has none yet; only the first start decides between the test mode and a sandbox.
///
/// # Errors
/// If it has another mode, or does not answer.
pub(crate) async fn enter(pool: &PgPool, mode: Mode, clock: &Clock) -> Result<(), ModeError> {
    check(pool, mode).await?;
    match mode {
        Mode::Live => settle(pool, LedgerMode::Live, clock).await,
        Mode::Test => Ok(()),
    }
}

async fn known(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(include_str!("mode.sql")).fetch_optional(pool).await
}
