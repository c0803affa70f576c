//! Are the journal's tables those of this release, and does PostgreSQL keep them as tables that only grow?

use sqlx::PgConnection;

use super::super::advised::JOURNAL_OPTIONS;
use super::super::migrations::migrator;
use super::super::roles::SERVICE;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, unless};

/// Fewer rows than this need no statistics.
const ROWS_WITHOUT_STATISTICS: i64 = 100_000;
const DAY_SECONDS: i64 = 86_400;
/// The migration that makes the schemas.
const SCHEMAS_VERSION: i64 = 1;
/// The migration that makes the program's role, or takes on one that is there.
const ROLES_VERSION: i64 = 5;

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

/// Where migrations are looked for: in the first schema of the search_path that exists.
#[derive(sqlx::FromRow)]
struct MigrationPlaceRow {
    schema: Option<String>,
    search_path: String,
    is_migrated: bool,
    has_ledger: bool,
    /// All that have a table of migrations.
    schemas: Option<String>,
    may_make_tables: bool,
    may_make_schemas: bool,
    may_have_role: bool,
}

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
    let place: MigrationPlaceRow =
        sqlx::query_as(include_str!("migration_place.sql")).bind(SERVICE).fetch_one(&mut *connection).await?;
    let applied: Result<Vec<AppliedRow>, _> = if place.is_migrated {
        sqlx::query_as(include_str!("migrations.sql")).fetch_all(connection).await
    } else {
        Ok(Vec::new())
    };
    let (level, found) = match applied {
        Ok(applied) => match obstacle(&place, &applied) {
            Some(obstacle) => (FindingLevel::Fault, obstacle),
            None => compare(&applied),
        },
        Err(error) => match error.as_database_error() {
            Some(refused) => (FindingLevel::Advice, format!("they cannot be read: {refused}")),
            None => return Err(error),
        },
    };
    findings.add(MIGRATIONS, level, found);
    Ok(())
}

/// Why the next start cannot find the migrations, or apply what is missing.
fn obstacle(place: &MigrationPlaceRow, applied: &[AppliedRow]) -> Option<String> {
    let is_missing = |version: i64| !applied.iter().any(|row| row.version == version);
    let path = &place.search_path;
    let Some(schema) = &place.schema else {
        return Some(format!("the search_path of the login, {path}, leads to no schema that exists"));
    };
    if place.has_ledger && is_missing(SCHEMAS_VERSION) {
        let schemas = place.schemas.as_deref().unwrap_or("no schema");
        return Some(format!(
            "the ledger is there, but not its migrations: by the search_path of the login, {path}, they are looked \
             for in {schema}, and _sqlx_migrations is in {schemas}"
        ));
    }
    // Each start makes the table of migrations, if it is missing, and is refused without the right to.
    if !place.may_make_tables {
        return Some(format!(
            "the login may not create tables in the schema {schema}, where migrations are noted"
        ));
    }
    if is_missing(SCHEMAS_VERSION) && !place.may_make_schemas {
        return Some("they are missing, and the login may not create schemas in the database".to_owned());
    }
    (is_missing(ROLES_VERSION) && !place.may_have_role).then(|| {
        format!(
            "they are missing, and the login may not make the role {SERVICE} or take it on: give the login \
             CREATEROLE, or create role {SERVICE} and grant it to the login beforehand"
        )
    })
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
