//! How much memory does the server use for pages? An eighth of the machine's, within bounds.
//!
//! With PostgreSQL's own default of 128 MB, pages of the newest events are written and read again all the time.
//! To use another size, run a PostgreSQL separately and set `DATABASE_URL`.

use std::fs;

use super::system;

/// The memory limit of a container, in version 2 and version 1 of control groups.
/// Without a limit, the file has a word, or a number that is larger than any machine.
const CONTAINER_LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

const SHARE: u64 = 8;
const MEGABYTES_MIN: u64 = 128;
const MEGABYTES_MAX: u64 = 1_024;

/// For the setting `shared_buffers`.
pub(super) fn shared_buffers_mb() -> u64 {
    let limits =
        CONTAINER_LIMITS.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let least = system::memory_bytes().into_iter().chain(limits).min();
    within_bounds(least.unwrap_or(0))
}

const fn within_bounds(memory_bytes: u64) -> u64 {
    let megabytes = memory_bytes / (1024 * 1024) / SHARE;
    if megabytes < MEGABYTES_MIN {
        MEGABYTES_MIN
    } else if megabytes > MEGABYTES_MAX {
        MEGABYTES_MAX
    } else {
        megabytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    #[test]
    fn an_eighth_within_bounds() {
        assert_eq!(within_bounds(0), 128);
        assert_eq!(within_bounds(2 * GIB), 256);
        assert_eq!(within_bounds(64 * GIB), 1_024);
    }

    #[test]
    fn the_machine_has_some() {
        assert!(system::memory_bytes().is_some_and(|bytes| bytes > 64 * 1024 * 1024));
    }
}
