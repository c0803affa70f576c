//! Are the journal's tables those of this release, and does PostgreSQL keep them as tables that only grow?

use sqlx::PgConnection;

use super::super::advised::JOURNAL_OPTIONS;
use super::super::migrations::migrator;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, unless};

/// Fewer rows than this need no statistics.
const ROWS_WITHOUT_STATISTICS: i64 = 100_000;
const DAY_SECONDS: i64 = 86_400;

const MIGRATIONS: DatabaseCheck = DatabaseCheck {
    name: "migrations",
    advised: Some("those of this release"),
    why: "`serve` and `migrate` apply what is missing, and refuse what they do not know",
};
const VACUUM: DatabaseCheck = DatabaseCheck {
    name: "journal_vacuum",
    advised: Some("every 500,000 events, and frozen at once"),
    why: "a journal that is frozen as it grows never has to be read whole to freeze it",
};
const STATISTICS: DatabaseCheck = DatabaseCheck {
    name: "statistics",
    advised: Some("newer than half of the events"),
    why: "the statements that read the journal do without, but those of an operator do not",
};

#[derive(sqlx::FromRow)]
struct AppliedRow {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

/// The journal's table, as PostgreSQL sees it.
#[derive(sqlx::FromRow)]
pub(super) struct JournalRow {
    pub events: i64,
    pub bytes: i64,
    options: Vec<String>,
    rows: i64,
    changed: i64,
    analyzed_s: Option<i64>,
}

pub(super) async fn check_migrations(
    connection: &mut PgConnection,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let is_migrated: bool =
        sqlx::query_scalar(include_str!("is_migrated.sql")).fetch_one(&mut *connection).await?;
    let applied: Result<Vec<AppliedRow>, _> = if is_migrated {
        sqlx::query_as(include_str!("migrations.sql")).fetch_all(connection).await
    } else {
        Ok(Vec::new())
    };
    let (level, found) = match applied {
        Ok(applied) => compare(&applied),
        Err(error) => match error.as_database_error() {
            Some(refused) => (FindingLevel::Advice, format!("they cannot be read: {refused}")),
            None => return Err(error),
        },
    };
    findings.add(MIGRATIONS, level, found);
    Ok(())
}

/// What is missing is applied by the next start. With anything else, nothing starts.
fn compare(applied: &[AppliedRow]) -> (FindingLevel, String) {
    let migrator = migrator();
    let known = |version| migrator.iter().find(|migration| migration.version == version);
    let is_other = |row: &&AppliedRow| {
        !row.success || known(row.version).is_none_or(|known| *known.checksum != *row.checksum)
    };
    if let Some(other) = applied.iter().find(is_other) {
        return (FindingLevel::Fault, format!("{} is not one of this release", other.version));
    }
    let is_missing = |version: i64| !applied.iter().any(|row| row.version == version);
    let missing = migrator.iter().filter(|migration| is_missing(migration.version)).count();
    let newest = applied.last().map_or(0, |row| row.version);
    match missing {
        0 => (FindingLevel::Ok, format!("up to date, at version {newest}")),
        missing => (FindingLevel::Advice, format!("at version {newest}, and {missing} are missing")),
    }
}

/// `None`: there is no journal yet.
pub(super) async fn find(connection: &mut PgConnection) -> Result<Option<JournalRow>, sqlx::Error> {
    let exists: bool =
        sqlx::query_scalar(include_str!("has_journal.sql")).fetch_one(&mut *connection).await?;
    if !exists {
        return Ok(None);
    }
    sqlx::query_as(include_str!("journal.sql")).fetch_optional(connection).await
}

pub(super) fn check(journal: &JournalRow, findings: &mut DatabaseFindings) {
    let is_set = |(name, value): &(&str, &str)| journal.options.contains(&format!("{name}={value}"));
    let well = JOURNAL_OPTIONS.iter().all(is_set);
    let found = if journal.options.is_empty() { "not set".to_owned() } else { journal.options.join(", ") };
    findings.add(VACUUM, unless(well, FindingLevel::Advice), found);
    let found = match journal.analyzed_s {
        Some(seconds) if seconds < DAY_SECONDS => "made within a day".to_owned(),
        Some(seconds) => format!("made {} days ago", seconds / DAY_SECONDS),
        None => "none".to_owned(),
    };
    let well = journal.rows < ROWS_WITHOUT_STATISTICS || journal.changed < journal.rows / 2;
    findings.add(STATISTICS, unless(well, FindingLevel::Advice), found);
}
