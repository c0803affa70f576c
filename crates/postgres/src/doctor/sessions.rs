//! Are there connections enough, and does anybody hold back what the server could clean up?

use sqlx::PgConnection;

use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, bytes, unless};

/// From here on, a transaction holds back more than a slow report would.
const OLDEST_SECONDS_MAX: i64 = 600;
/// From here on, a slot holds back more than a standby that restarts would.
const SLOT_BYTES_MAX: i64 = 1 << 30;

const CONNECTIONS: DatabaseCheck = DatabaseCheck {
    name: "connections",
    advised: Some("room for those of one server, also within the limits of the login and the database"),
    why: "a server that gets no connection answers that the database is away",
};
const TRANSACTIONS: DatabaseCheck = DatabaseCheck {
    name: "long_transactions",
    advised: Some("none is older than 10 minutes"),
    why: "what was replaced after a transaction began cannot be removed before it ends",
};
const SLOTS: DatabaseCheck = DatabaseCheck {
    name: "replication_slots",
    advised: Some("none keeps more than 1 GB of the log"),
    why: "what a slot has not read stays on disk, until the disk is full",
};

#[derive(sqlx::FromRow)]
struct SessionsRow {
    most: i64,
    reserved: i64,
    /// The login's limit, if it has one.
    of_login: Option<i64>,
    of_database: Option<i64>,
    clients: i64,
    /// Sessions of which the login may not see what they do.
    hidden: i64,
    /// Those of a server that runs are not among them: they count as the ones that are needed.
    others: i64,
    others_of_login: i64,
    others_of_database: i64,
    oldest_s: i64,
}

#[derive(sqlx::FromRow)]
struct SlotRow {
    name: String,
    is_active: bool,
    bytes: i64,
}

pub(super) async fn check(
    connection: &mut PgConnection,
    needed: u32,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let row: SessionsRow = sqlx::query_as(include_str!("sessions.sql")).fetch_one(&mut *connection).await?;
    check_connections(&row, needed, findings);
    check_transactions(&row, findings);
    check_slots(connection, findings).await
}

/// A limit that is too low is never enough; others may also close their connections again.
fn check_connections(row: &SessionsRow, needed: u32, findings: &mut DatabaseFindings) {
    let usable = row.most - row.reserved;
    let mut found =
        vec![format!("{} of {usable} are used", row.clients), format!("a server opens up to {needed}")];
    let (mut most, mut room) = (usable, usable - row.others);
    for (whose, limit, others) in
        [("login", row.of_login, row.others_of_login), ("database", row.of_database, row.others_of_database)]
    {
        if let Some(limit) = limit {
            found.push(format!("the limit of the {whose} is {limit}"));
            (most, room) = (most.min(limit), room.min(limit - others));
        }
    }
    let needed = i64::from(needed);
    let level =
        if most < needed { FindingLevel::Fault } else { unless(room >= needed, FindingLevel::Advice) };
    findings.add(CONNECTIONS, level, found.join("; "));
}

fn check_transactions(row: &SessionsRow, findings: &mut DatabaseFindings) {
    let mut found = vec![match row.oldest_s {
        0 if row.hidden > 0 => "none that can be seen".to_owned(),
        0 => "none".to_owned(),
        seconds => format!("the oldest has run for {} s", seconds.max(0)),
    }];
    if row.hidden > 0 {
        let hidden = row.hidden;
        found.push(format!(
            "sessions that cannot be seen: {hidden}; grant pg_read_all_stats to the login to see them"
        ));
    }
    let well = row.oldest_s <= OLDEST_SECONDS_MAX && row.hidden == 0;
    findings.add(TRANSACTIONS, unless(well, FindingLevel::Advice), found.join("; "));
}

async fn check_slots(
    connection: &mut PgConnection,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let rows: Vec<SlotRow> = sqlx::query_as(include_str!("slots.sql")).fetch_all(connection).await?;
    let shown = rows.iter().map(|slot| {
        let state = if slot.is_active { "" } else { ", not in use" };
        format!("{} keeps {}{state}", slot.name, bytes(u64::try_from(slot.bytes).unwrap_or(0)))
    });
    let shown: Vec<String> = shown.collect();
    let well = rows.iter().all(|slot| slot.bytes <= SLOT_BYTES_MAX);
    let found = if shown.is_empty() { "none".to_owned() } else { shown.join("; ") };
    findings.add(SLOTS, unless(well, FindingLevel::Advice), found);
    Ok(())
}
