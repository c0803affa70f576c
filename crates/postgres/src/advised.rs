//! How should PostgreSQL be set for this ledger? One table: the embedded server is started with it, and
//! `counterfoil doctor` holds other servers against it.

use super::Durability;
use super::doctor::FindingLevel;
use super::memory;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A setting of PostgreSQL that matters to this ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdvisedSetting {
    pub name: &'static str,
    pub value: Advised,
    pub start: AtStart,
    /// How bad any other value is.
    pub level: FindingLevel,
    /// One sentence.
    pub why: &'static str,
}

/// Which values are good.
#[derive(Clone, Copy, Debug)]
pub(super) enum Advised {
    /// The first one, or one of the others, which are as good.
    Word(&'static [&'static str]),
    BytesMin(u64),
    /// An eighth of the memory of the server's machine, within bounds. Another machine's is not known here.
    ShareOfMemory,
    SecondsMin(u64),
    ThousandthsMin(u64),
    ThousandthsMax(u64),
}

/// Who sees to the value of an embedded server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtStart {
    /// The server is started with it.
    Given,
    /// The server is started with it, but for a cluster of tests, which may lose what it acknowledged.
    GivenIfDurable,
    /// The server is started with it if it was built with it. See [`super::server`].
    GivenIfKnown,
    /// It is PostgreSQL's own, and can be set in the cluster's `postgresql.conf`.
    OfPostgres,
}

/// The method of `wal_compression` that takes the least time.
pub(super) const QUICK_COMPRESSION: &str = "lz4";

/// The least for another machine, whose memory is not known.
const BUFFERS_BYTES_MIN: u64 = 256 * MIB;

pub(super) const SETTINGS: [AdvisedSetting; 13] = [
    AdvisedSetting {
        name: "fsync",
        value: Advised::Word(&["on"]),
        start: AtStart::GivenIfDurable,
        level: FindingLevel::Fault,
        why: "without it, acknowledged events are lost and files are damaged when the machine loses its power",
    },
    AdvisedSetting {
        name: "synchronous_commit",
        value: Advised::Word(&["on", "remote_apply", "remote_write", "local"]),
        start: AtStart::GivenIfDurable,
        level: FindingLevel::Fault,
        why: "`off` acknowledges events that are not on disk yet",
    },
    AdvisedSetting {
        name: "full_page_writes",
        value: Advised::Word(&["on"]),
        start: AtStart::GivenIfDurable,
        level: FindingLevel::Fault,
        why: "a page that was written in part is restored from the log, unless the storage itself prevents that",
    },
    AdvisedSetting {
        name: "max_wal_size",
        value: Advised::BytesMin(2_048 * MIB),
        start: AtStart::Given,
        level: FindingLevel::Advice,
        why: "after each checkpoint every changed page is logged as a whole, so few checkpoints are faster",
    },
    AdvisedSetting {
        name: "checkpoint_timeout",
        value: Advised::SecondsMin(300),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "the same, for checkpoints that come because time has passed",
    },
    AdvisedSetting {
        name: "checkpoint_completion_target",
        value: Advised::ThousandthsMin(900),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "a checkpoint that writes all at once makes commits wait for the disk",
    },
    AdvisedSetting {
        name: "wal_compression",
        value: Advised::Word(&[QUICK_COMPRESSION, "zstd"]),
        start: AtStart::GivenIfKnown,
        level: FindingLevel::Advice,
        why: "pages that are logged as a whole take less room, and `pglz`, which is `on`, takes longer for them than all \
              the rest of an append once the journal is large; servers before 15 have no other one",
    },
    AdvisedSetting {
        name: "wal_buffers",
        value: Advised::BytesMin(4 * MIB),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "a batch of events should fit into the log's buffers before it is committed",
    },
    AdvisedSetting {
        name: "shared_buffers",
        value: Advised::ShareOfMemory,
        start: AtStart::Given,
        level: FindingLevel::Advice,
        why: "with less, pages of the newest events are written and read again all the time",
    },
    AdvisedSetting {
        name: "effective_cache_size",
        value: Advised::BytesMin(512 * MIB),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "with less, reading by an index looks dearer to the planner than it is",
    },
    AdvisedSetting {
        name: "work_mem",
        value: Advised::BytesMin(4 * MIB),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "with less, the rows of a report are sorted on disk",
    },
    AdvisedSetting {
        name: "random_page_cost",
        value: Advised::ThousandthsMax(4_000),
        start: AtStart::OfPostgres,
        level: FindingLevel::Advice,
        why: "with more, tables are read whole where an index would do",
    },
    AdvisedSetting {
        name: "jit",
        value: Advised::Word(&["off"]),
        start: AtStart::Given,
        level: FindingLevel::Advice,
        why: "the statements are short, and compiling one takes longer than running it",
    },
];

/// What `ledger.events` and `ledger.blocks` are set to by a migration, for tables that only grow.
pub(super) const JOURNAL_OPTIONS: [(&str, &str); 3] = [
    ("autovacuum_vacuum_insert_scale_factor", "0"),
    ("autovacuum_vacuum_insert_threshold", "500000"),
    ("autovacuum_freeze_min_age", "0"),
];

/// For the command line of an embedded server: `name=value`.
pub(super) fn at_start(durability: Durability) -> impl Iterator<Item = String> {
    SETTINGS.into_iter().filter_map(move |setting| {
        let value = match (setting.start, durability) {
            (AtStart::Given, _) | (AtStart::GivenIfDurable, Durability::On) => setting.value.given(),
            (AtStart::GivenIfDurable, Durability::Off) => "off".to_owned(),
            (AtStart::GivenIfKnown | AtStart::OfPostgres, _) => return None,
        };
        Some(format!("{}={value}", setting.name))
    })
}

impl Advised {
    /// The value as an embedded server is given it.
    fn given(self) -> String {
        match self {
            Self::Word(words) => words.first().copied().unwrap_or_default().to_owned(),
            Self::BytesMin(bytes) => megabytes(bytes / MIB),
            Self::ShareOfMemory => megabytes(memory::shared_buffers_mb()),
            Self::SecondsMin(seconds) => format!("{seconds}s"),
            Self::ThousandthsMin(thousandths) | Self::ThousandthsMax(thousandths) => decimal(thousandths),
        }
    }

    /// The good values, for people.
    pub fn shown(self, is_embedded: bool) -> String {
        match self {
            Self::Word(_) => self.given(),
            Self::ShareOfMemory if !is_embedded => {
                "an eighth of the machine's memory, 256MB to 1GB".to_owned()
            }
            Self::BytesMin(_) | Self::ShareOfMemory | Self::ThousandthsMin(_) => {
                format!("at least {}", self.given())
            }
            Self::SecondsMin(seconds) => format!("at least {}min", seconds / 60),
            Self::ThousandthsMax(_) => format!("at most {}", self.given()),
        }
    }

    /// Whether a value is good, as `pg_settings` has it: a text, and the unit that it counts in.
    pub fn allows(self, value: &str, unit: Option<&str>, is_embedded: bool) -> bool {
        let bytes = || value.parse::<u64>().ok().zip(bytes_of(unit)).map(|(count, unit)| count * unit);
        match self {
            Self::Word(words) => words.contains(&value),
            Self::BytesMin(least) => bytes().is_some_and(|bytes| bytes >= least),
            Self::ShareOfMemory => {
                let least = if is_embedded { memory::shared_buffers_mb() * MIB } else { BUFFERS_BYTES_MIN };
                bytes().is_some_and(|bytes| bytes >= least)
            }
            // All durations of the table count in seconds there.
            Self::SecondsMin(least) => value.parse::<u64>().is_ok_and(|seconds| seconds >= least),
            Self::ThousandthsMin(least) => thousandths(value).is_some_and(|value| value >= least),
            Self::ThousandthsMax(most) => thousandths(value).is_some_and(|value| value <= most),
        }
    }
}

/// PostgreSQL's units of memory.
fn bytes_of(unit: Option<&str>) -> Option<u64> {
    match unit? {
        "B" => Some(1),
        "kB" => Some(KIB),
        "8kB" => Some(8 * KIB),
        "MB" => Some(MIB),
        "GB" => Some(KIB * MIB),
        other => other.strip_suffix("kB")?.parse::<u64>().ok().map(|count| count * KIB),
    }
}

fn megabytes(count: u64) -> String {
    if count.is_multiple_of(1_024) { format!("{}GB", count / 1_024) } else { format!("{count}MB") }
}

fn decimal(thousandths: u64) -> String {
    let fraction = format!("{:03}", thousandths % 1_000);
    let text = format!("{}.{}", thousandths / 1_000, fraction);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads a decimal as PostgreSQL writes it, such as `0.9` or `4`; further digits do not matter.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain(['0', '0', '0']).take(3).collect();
    Some(whole.parse::<u64>().ok()? * 1_000 + fraction.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_written() {
        for (text, number) in [("0.9", 900), ("4", 4_000), ("1.1", 1_100), ("0.9001", 900)] {
            assert_eq!(thousandths(text), Some(number), "{text}");
        }
        assert_eq!(thousandths("-1"), None);
        assert_eq!([decimal(900), decimal(4_000)], ["0.9", "4"]);
    }

    #[test]
    fn values_are_held_against_the_advice_in_their_units() {
        let two_gigabytes = Advised::BytesMin(2_048 * MIB);
        assert!(two_gigabytes.allows("2048", Some("MB"), true));
        assert!(!two_gigabytes.allows("1024", Some("MB"), true));
        assert!(!two_gigabytes.allows("2048", None, true));
        assert!(!Advised::ShareOfMemory.allows("16384", Some("8kB"), false), "PostgreSQL's 128MB");
        assert!(Advised::ShareOfMemory.allows("32768", Some("8kB"), false));
        assert!(Advised::Word(&["on", "local"]).allows("local", None, false));
        assert!(!Advised::Word(&["on", "local"]).allows("off", None, false));
        assert!(Advised::ThousandthsMax(4_000).allows("1.1", None, false));
        assert!(!Advised::SecondsMin(300).allows("60", Some("s"), false));
    }

    #[test]
    fn only_a_cluster_of_tests_is_started_without_durability() {
        let durable: Vec<String> = at_start(Durability::On).collect();
        let throw_away: Vec<String> = at_start(Durability::Off).collect();
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            assert!(durable.contains(&format!("{name}=on")), "{durable:?}");
            assert!(throw_away.contains(&format!("{name}=off")), "{throw_away:?}");
        }
        assert!(durable.contains(&"max_wal_size=2GB".to_owned()), "{durable:?}");
        assert!(!durable.iter().any(|setting| setting.starts_with("work_mem")), "{durable:?}");
    }
}
