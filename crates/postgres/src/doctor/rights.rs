//! Can the program change what happened? Not with the rights that it works with.

use sqlx::PgConnection;

use super::super::roles::SERVICE;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, unless};

/// One each for events and blocks.
const TRIGGERS: i64 = 2;

const APPEND_ONLY: DatabaseCheck = DatabaseCheck {
    name: "append_only",
    advised: Some("the program may add events and not change them"),
    why: "that history never changes is a privilege first, and a trigger second",
};

/// Whether the login may take the service's role on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceRole {
    Taken,
    Refused,
}

#[derive(sqlx::FromRow)]
struct RightsRow {
    role: String,
    may_change: bool,
    triggers: i64,
}

/// As every session of the program does, if it can.
pub(super) async fn take_on_role(connection: &mut PgConnection) -> Result<ServiceRole, sqlx::Error> {
    match sqlx::raw_sql(&format!("set role {SERVICE}")).execute(connection).await {
        Ok(_) => Ok(ServiceRole::Taken),
        Err(error) if error.as_database_error().is_some() => Ok(ServiceRole::Refused),
        Err(error) => Err(error),
    }
}

/// What was found of the journal. A login that may not even look at it is a finding.
pub(super) fn unless_refused<T>(
    found: Result<Option<T>, sqlx::Error>,
    findings: &mut DatabaseFindings,
) -> Result<Option<T>, sqlx::Error> {
    match found {
        Err(error) => match error.as_database_error() {
            Some(refused) => {
                findings.add(APPEND_ONLY, FindingLevel::Fault, refused.to_string());
                Ok(None)
            }
            None => Err(error),
        },
        found => found,
    }
}

pub(super) async fn check(
    connection: &mut PgConnection,
    role: ServiceRole,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let row: RightsRow = sqlx::query_as(include_str!("rights.sql")).fetch_one(connection).await?;
    let mut found = vec![match role {
        ServiceRole::Taken => format!("it works as {}", row.role),
        ServiceRole::Refused => format!("it works as {}, which may not become {SERVICE}", row.role),
    }];
    if row.may_change {
        found.push("which may change events".to_owned());
    }
    if row.triggers < TRIGGERS {
        found.push("a trigger that refuses changes is missing".to_owned());
    }
    let well = !row.may_change && row.triggers >= TRIGGERS;
    findings.add(APPEND_ONLY, unless(well, FindingLevel::Fault), found.join("; "));
    Ok(())
}
