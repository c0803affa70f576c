//! Is the server set as the table of [`advised`](super::super::advised) says?

use sqlx::PgConnection;

use super::super::advised::{AdvisedSetting, SETTINGS};
use super::ServerPlace;
use super::finding::{DatabaseFinding, DatabaseFindings, unless};

#[derive(sqlx::FromRow)]
struct SettingRow {
    name: String,
    setting: String,
    unit: Option<String>,
    /// As it is written in the settings.
    shown: String,
}

pub(super) async fn check(
    connection: &mut PgConnection,
    place: &ServerPlace,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let rows: Vec<SettingRow> = sqlx::query_as(include_str!("settings.sql"))
        .bind(SETTINGS.map(|setting| setting.name).as_slice())
        .fetch_all(connection)
        .await?;
    let is_embedded = matches!(place, ServerPlace::Embedded(_));
    for advised in SETTINGS {
        // A server that is only compatible may not have one.
        if let Some(row) = rows.iter().find(|row| row.name == advised.name) {
            findings.0.push(held_against(advised, row, is_embedded));
        }
    }
    Ok(())
}

fn held_against(advised: AdvisedSetting, row: &SettingRow, is_embedded: bool) -> DatabaseFinding {
    let is_good = advised.value.allows(&row.setting, row.unit.as_deref(), is_embedded);
    DatabaseFinding {
        check: advised.name,
        level: unless(is_good, advised.level),
        found: row.shown.clone(),
        advised: Some(advised.value.shown(is_embedded)),
        why: advised.why,
    }
}
