//! Are there connections enough, and does anybody hold back what the server could clean up?

use sqlx::PgConnection;

use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, bytes, unless};

/// From here on, a transaction holds back more than a slow report would.
const OLDEST_SECONDS_MAX: i64 = 600;
/// From here on, a slot holds back more than a standby that restarts would.
const SLOT_BYTES_MAX: i64 = 1 << 30;

const CONNECTIONS: DatabaseCheck = DatabaseCheck {
    name: "connections",
    advised: Some("room for those of one more server"),
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
    clients: i64,
    ours: i64,
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
    let usable = row.most - row.reserved;
    // Those of a server that runs count as the ones that are needed.
    let others = (row.clients - row.ours).max(0);
    let enough = usable - others >= i64::from(needed);
    let found = format!("{} of {usable} are used; a server opens up to {needed}", row.clients);
    findings.add(CONNECTIONS, unless(enough, FindingLevel::Advice), found);
    let oldest = format!("the oldest has run for {} s", row.oldest_s.max(0));
    findings.add(
        TRANSACTIONS,
        unless(row.oldest_s <= OLDEST_SECONDS_MAX, FindingLevel::Advice),
        if row.oldest_s == 0 { "none".to_owned() } else { oldest },
    );
    check_slots(connection, findings).await
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
