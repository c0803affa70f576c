//! Can the program change what happened? Not with the rights that it works with.

use sqlx::PgConnection;

use super::super::migrations::migrator;
use super::super::roles::SERVICE;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, unless};

/// One each for events, blocks, and the two tables of what is kept of growths.
const TRIGGERS: i64 = 4;
/// How the function begins that the triggers call, in the migration that makes it.
const REFUSAL: &str = "function ledger.refuse_change() returns trigger";

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
    /// Itself first, and the roles that it may become.
    may_change: Vec<String>,
    triggers: i64,
    /// The text of the function that refuses changes.
    refusal: Option<String>,
    /// Whether that function belongs to the owner of the events.
    is_of_owner: bool,
    /// Triggers are only called if it is `origin`.
    replication_role: String,
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
    let wrong = wrong(&row);
    let level = unless(wrong.is_empty(), FindingLevel::Fault);
    let works_as = match role {
        ServiceRole::Taken => format!("it works as {}", row.role),
        ServiceRole::Refused => format!("it works as {}, which may not become {SERVICE}", row.role),
    };
    let found: Vec<String> = std::iter::once(works_as).chain(wrong).collect();
    findings.add(APPEND_ONLY, level, found.join("; "));
    Ok(())
}

fn wrong(row: &RightsRow) -> Vec<String> {
    let mut wrong = Vec::new();
    match row.may_change.first() {
        Some(role) if *role == row.role => wrong.push("which may change events".to_owned()),
        Some(_) => {
            wrong.push(format!("which may become {}, who may change events", row.may_change.join(" or ")));
        }
        None => {}
    }
    if row.triggers < TRIGGERS {
        wrong.push("a trigger that refuses changes is missing, off or another one".to_owned());
    }
    if row.refusal.is_none() || row.refusal != refusal() {
        wrong.push("ledger.refuse_change() is not that of this release".to_owned());
    } else if !row.is_of_owner {
        wrong.push("ledger.refuse_change() belongs to another role than the events".to_owned());
    }
    if row.replication_role != "origin" {
        let role = &row.replication_role;
        wrong.push(format!("session_replication_role is {role}, so triggers may not be called"));
    }
    wrong
}

/// The text of the function that refuses changes, as the newest migration that makes it has it.
fn refusal() -> Option<String> {
    let migrator = migrator();
    let made = migrator.iter().rev().find_map(|migration| migration.sql.split_once(REFUSAL));
    made.and_then(|(_, rest)| rest.split("$$").nth(1)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_found_in_its_migration() {
        let refusal = refusal().expect("a function");
        assert!(refusal.trim().starts_with("begin") && refusal.trim().ends_with("end"), "{refusal}");
        assert!(refusal.contains("raise exception"), "{refusal}");
    }
}
