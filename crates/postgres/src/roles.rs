//! Which privileges does the program have? Fewer than the login that migrates.
//!
//! Migrations make the role [`SERVICE`]: it can only add events, by `ledger.append` or for several shards by
//! `ledger.append_blocks`, and cannot change or remove them.
//! Every session of the program uses that role from its beginning, if the login may.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// The role of the program.
pub const SERVICE: &str = "counterfoil_service";

/// Makes sessions use the service's role from their first statement on.
#[must_use]
pub fn as_service(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("role", SERVICE)])
}

/// The options with the service's role, or unchanged if the login may not use it.
///
/// # Errors
///
/// If the database does not answer.
pub async fn with_least_rights(options: &PgConnectOptions) -> Result<PgConnectOptions, sqlx::Error> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    let taken = sqlx::raw_sql(&format!("set role {SERVICE}")).execute(&mut connection).await;
    let rights = match taken {
        Ok(_) => Ok(as_service(options.clone())),
        Err(error) if error.as_database_error().is_some() => {
            tracing::warn!(
                role = SERVICE,
                error = &error as &dyn std::error::Error,
                "the login cannot take on the service's role; that events never change rests on triggers alone"
            );
            Ok(options.clone())
        }
        Err(error) => Err(error),
    };
    connection.close().await?;
    rights
}
