//! Is it a PostgreSQL that the program works with, and is the database made as it should be?

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::super::error::MAJOR_MIN;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, beyond, grouped, unless};

/// The last year and month in which a major version is maintained; each ends in November, five years after it began.
const LAST_MONTH: u32 = 11;
const FIRST_MAINTAINED: i32 = 14;
const FIRST_MAINTAINED_UNTIL: i32 = 2026;

/// From here on, tables are overdue to be frozen.
const UNFROZEN_ADVICE: u64 = 500_000_000;
/// From here on, PostgreSQL itself drops everything else to freeze. At two billions it stops.
const UNFROZEN_FAULT: u64 = 1_600_000_000;

const VERSION: DatabaseCheck = DatabaseCheck {
    name: "version",
    advised: Some("14 or newer, and still maintained"),
    why: "faults of PostgreSQL itself are only mended in versions that are maintained",
};
const WRITABLE: DatabaseCheck = DatabaseCheck {
    name: "writable",
    advised: Some("it takes writes"),
    why: "a standby, or a read-only database, takes no events",
};
const ENCODING: DatabaseCheck = DatabaseCheck {
    name: "encoding",
    advised: Some("UTF8"),
    why: "another encoding cannot store every text, and hashes are over UTF-8",
};
const CHECKSUMS: DatabaseCheck = DatabaseCheck {
    name: "data_checksums",
    advised: Some("on"),
    why: "a page that the disk has damaged is found when it is read, and not at the next audit",
};
const ARCHIVE: DatabaseCheck = DatabaseCheck {
    name: "archive",
    advised: None,
    why: "an archive of the log restores the ledger to any moment; without one, only backups do",
};
const AUTOVACUUM: DatabaseCheck = DatabaseCheck {
    name: "autovacuum",
    advised: Some("on"),
    why: "without it, read models grow and the journal has to be frozen all at once",
};
const FREEZE: DatabaseCheck = DatabaseCheck {
    name: "freeze_age",
    advised: Some("less than 500,000,000 transactions"),
    why: "at two billion transactions that are not frozen, PostgreSQL stops taking writes",
};

#[derive(sqlx::FromRow)]
pub(super) struct ServerRow {
    version: String,
    major: i32,
    encoding: String,
    checksums: String,
    is_read_only: bool,
    wal_level: String,
    archive_mode: String,
    unfrozen: i32,
    autovacuum: String,
    pub bytes: i64,
}

pub(super) async fn check(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    findings: &mut DatabaseFindings,
) -> Result<ServerRow, sqlx::Error> {
    let row: ServerRow = sqlx::query_as(include_str!("server.sql")).fetch_one(connection).await?;
    findings.add(VERSION, version(row.major, now), &row.version);
    let writable = if row.is_read_only { "read-only" } else { "it takes writes" };
    findings.add(WRITABLE, unless(!row.is_read_only, FindingLevel::Fault), writable);
    findings.add(ENCODING, unless(row.encoding == "UTF8", FindingLevel::Fault), &row.encoding);
    findings.add(CHECKSUMS, unless(row.checksums == "on", FindingLevel::Advice), &row.checksums);
    let archive = format!("wal_level {}, archive_mode {}", row.wal_level, row.archive_mode);
    findings.add(ARCHIVE, FindingLevel::Ok, archive);
    findings.add(AUTOVACUUM, unless(row.autovacuum == "on", FindingLevel::Advice), &row.autovacuum);
    let unfrozen = u64::try_from(row.unfrozen).unwrap_or(0);
    let found = format!("{} transactions", grouped(unfrozen));
    findings.add(FREEZE, beyond(unfrozen, UNFROZEN_ADVICE, UNFROZEN_FAULT), found);
    Ok(row)
}

fn version(major: i32, now: DateTime<Utc>) -> FindingLevel {
    let until = NaiveDate::from_ymd_opt(FIRST_MAINTAINED_UNTIL + major - FIRST_MAINTAINED, LAST_MONTH, 30);
    let is_maintained = until.is_some_and(|until| now.date_naive() <= until);
    match u32::try_from(major) {
        Ok(major) if major >= MAJOR_MIN => unless(is_maintained, FindingLevel::Advice),
        Ok(_) | Err(_) => FindingLevel::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_maintained_for_five_years() {
        let day = |text: &str| format!("{text}T12:00:00Z").parse::<DateTime<Utc>>().expect("a day");
        assert_eq!(version(13, day("2024-01-01")), FindingLevel::Fault);
        assert_eq!(version(15, day("2027-11-30")), FindingLevel::Ok);
        assert_eq!(version(15, day("2027-12-01")), FindingLevel::Advice);
        assert_eq!(version(18, day("2030-10-01")), FindingLevel::Ok);
    }
}
