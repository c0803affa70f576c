//! How large is the database, how fast does it grow, and how much room is left?

use super::super::system;
use super::ServerPlace;
use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, bytes, grouped};
use super::journal::JournalRow;
use super::server::ServerRow;

const GIB: u64 = 1 << 30;
/// The log alone may take twice its usual size for a while.
const FREE_ADVICE: u64 = 8 * GIB;
const FREE_FAULT: u64 = GIB;
/// With fewer events, what a table takes at the least is more than what they add.
const EVENTS_MIN: u64 = 1_000;

const ROOM: DatabaseCheck = DatabaseCheck {
    name: "room",
    advised: Some("at least 8 GB free"),
    why: "a full disk stops the ledger, and the log alone takes some gigabytes",
};

pub(super) fn check(
    place: &ServerPlace,
    server: &ServerRow,
    journal: Option<&JournalRow>,
    findings: &mut DatabaseFindings,
) {
    let mut found = vec![format!("the database has {}", bytes(unsigned(server.bytes)))];
    let growth = journal.and_then(|journal| {
        found.push(format!("the journal has {}", bytes(unsigned(journal.bytes))));
        let events = unsigned(journal.events);
        let growth = unsigned(journal.bytes).checked_div(events).filter(|_| events >= EVENTS_MIN);
        found.push(match growth {
            Some(growth) => format!("in {} events of {growth} bytes", grouped(events)),
            None => format!("in {} events", grouped(events)),
        });
        growth
    });
    let free = match place {
        ServerPlace::Embedded(directory) => system::free_bytes(directory).ok(),
        ServerPlace::External => None,
    };
    if let Some(free) = free {
        found.push(format!("{} are free", bytes(free)));
        if let Some(more) = growth.and_then(|growth| free.checked_div(growth)) {
            found.push(format!("room for {} more events at most", grouped(more)));
        }
    }
    findings.add(ROOM, free.map_or(FindingLevel::Ok, level), found.join("; "));
}

fn level(free: u64) -> FindingLevel {
    if free < FREE_FAULT {
        FindingLevel::Fault
    } else if free < FREE_ADVICE {
        FindingLevel::Advice
    } else {
        FindingLevel::Ok
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
