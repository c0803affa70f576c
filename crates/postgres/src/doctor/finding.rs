//! What did a check of the database find, how bad is it, and what would be better?

use std::fmt;

use serde::Serialize;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseFinding {
    /// The name of the check, or of the setting. It is stable over releases.
    pub check: &'static str,
    pub level: FindingLevel,
    pub found: String,
    /// What is good. `None`: the check only informs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advised: Option<String>,
    /// One sentence.
    pub why: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    Ok,
    /// It works, and could be faster or last longer.
    Advice,
    /// Acknowledged events could be lost or changed, or the program cannot work.
    Fault,
}

impl fmt::Display for FindingLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ok => "ok",
            Self::Advice => "advice",
            Self::Fault => "fault",
        })
    }
}

/// A check, before it is known what it finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct DatabaseCheck {
    pub name: &'static str,
    pub advised: Option<&'static str>,
    pub why: &'static str,
}

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct DatabaseFindings(pub Vec<DatabaseFinding>);

impl DatabaseFindings {
    pub fn add(&mut self, check: DatabaseCheck, level: FindingLevel, found: impl Into<String>) {
        let DatabaseCheck { name, advised, why } = check;
        let advised = advised.map(str::to_owned);
        self.0.push(DatabaseFinding { check: name, level, found: found.into(), advised, why });
    }
}

/// The level of a measure that gets worse as it grows.
pub(super) fn beyond<T: PartialOrd>(value: T, advice: T, fault: T) -> FindingLevel {
    if value >= fault {
        FindingLevel::Fault
    } else if value >= advice {
        FindingLevel::Advice
    } else {
        FindingLevel::Ok
    }
}

/// Whether all is well; if not, it is as bad as `level`.
pub(super) fn unless(well: bool, level: FindingLevel) -> FindingLevel {
    if well { FindingLevel::Ok } else { level }
}

/// A number of bytes for people, such as `1.5 GB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (count.saturating_mul(10), UNITS.iter());
    let mut name = unit.next().copied().unwrap_or_default();
    while tenths >= 10_240 {
        let Some(next) = unit.next() else { break };
        name = next;
        tenths /= 1_024;
    }
    if tenths.is_multiple_of(10) || tenths >= 1_000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([bytes(0), bytes(1_023), bytes(1_536)], ["0 bytes", "1023 bytes", "1.5 kB"]);
        assert_eq!([bytes(5 << 30), bytes(150 << 20), bytes(u64::MAX)], ["5 GB", "150 MB", "1677721 TB"]);
        assert_eq!([grouped(12), grouped(1_234), grouped(50_000_000)], ["12", "1,234", "50,000,000"]);
    }

    #[test]
    fn what_grows_gets_worse() {
        assert_eq!(
            [beyond(1, 2, 3), beyond(2, 2, 3), beyond(3, 2, 3)],
            [FindingLevel::Ok, FindingLevel::Advice, FindingLevel::Fault]
        );
    }
}
