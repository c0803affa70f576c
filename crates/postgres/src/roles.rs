//! Which rights does the program have? Fewer than those of whoever migrates.
//!
//! Migrations make the role [`SERVICE`]: it may add events through `ledger.append` and in no other way, and may not
//! change or remove one. Every session of the program takes that role on when it begins, where the login may.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// The role that the program works as.
pub const SERVICE: &str = "counterfoil_service";

/// Makes sessions take on the service's role from their first statement on.
#[must_use]
pub fn as_service(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("role", SERVICE)])
}

/// The options with the service's role, or as they are where the login may not take it on.
///
/// # Errors
///
/// When the database does not answer.
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
