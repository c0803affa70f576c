//! How much memory does an account take, and how much may all of them take?

use std::{io, mem::size_of};

use crate::journal::load::LoadedAccount;

/// How many bytes of memory a byte of an account's written state takes, about.
/// Numbers take less than their digits, and maps and lists more than their brackets.
const BYTES_PER_WRITTEN: usize = 3;
/// What an entry of a cache takes besides the account: its key, its place in the table, and its neighbours.
const BYTES_PER_ENTRY: usize = 128;

/// The least of a shard, however many there are.
const BYTES_MIN: usize = 1_000_000;

/// How many bytes of memory the accounts may take that a program keeps for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheMemory {
    bytes: usize,
}

impl Default for CacheMemory {
    /// For a command of this program that does not serve.
    fn default() -> Self {
        Self::megabytes(64)
    }
}

impl CacheMemory {
    #[must_use]
    pub const fn megabytes(megabytes: u32) -> Self {
        Self { bytes: (megabytes as usize).saturating_mul(1_000_000) }
    }

    /// For those that commands are decided on, of each of `shards`.
    pub(super) fn for_commands(self, shards: usize) -> usize {
        self.bytes.saturating_sub(self.for_views()).checked_div(shards).unwrap_or(self.bytes).max(BYTES_MIN)
    }

    /// For those that are read, of all shards.
    pub(super) const fn for_views(self) -> usize {
        self.bytes / 2
    }
}

/// An account, and about how many bytes of memory it takes.
#[derive(Clone, Debug)]
pub(super) struct CachedAccount {
    pub(super) account: LoadedAccount,
    bytes: usize,
    /// The number of its events when it was weighed.
    weighed_at: i64,
}

impl CachedAccount {
    pub(super) fn new(account: LoadedAccount) -> Self {
        let (bytes, weighed_at) = (weigh(&account), account.sequence());
        Self { account, bytes, weighed_at }
    }

    /// The same account with more events.
    pub(super) fn with(self, account: LoadedAccount) -> Self {
        let mut later = Self { account, ..self };
        later.weigh_again();
        later
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Weighs it again if it has twice the events, so that an account is seldom weighed, however many it has.
    pub(super) fn weigh_again(&mut self) {
        let sequence = self.account.sequence();
        if sequence > self.weighed_at.saturating_mul(2) {
            (self.bytes, self.weighed_at) = (weigh(&self.account), sequence);
        }
    }
}

/// What its state takes follows from how long it is when it is written, so that no part of a state is forgotten here.
fn weigh(account: &LoadedAccount) -> usize {
    let mut written = Written(0);
    // Writing to a counter does not fail, and neither does a state: snapshots are written the same way.
    if serde_json::to_writer(&mut written, &account.state).is_err() {
        tracing::warn!(account = %account.id, "the account's state cannot be weighed");
    }
    written
        .0
        .saturating_mul(BYTES_PER_WRITTEN)
        .saturating_add(size_of::<LoadedAccount>())
        .saturating_add(BYTES_PER_ENTRY)
}

/// How much was written.
struct Written(usize);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
