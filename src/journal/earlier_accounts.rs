//! Which accounts were opened before a ledger was grown?
//!
//! A Bloom filter says it, in 12 bits for each of them. Of the accounts that are opened later it takes a few in a
//! thousand for old ones. That does no harm: **whatever the filter says is the definition**, for every program and for
//! ever, so such an account is opened in an earlier shard and stays there.
//!
//! The rule, which never changes: a filter of `n` bits has its first bit in the lowest bit of its first byte. Of the
//! SHA-256 digest of an account's id, let `a` be bytes 8 to 15 and `b` bytes 16 to 23 with the last bit set, as numbers
//! with the highest byte first. The filter has the account if its bits `(a + i × b mod 2^64) mod n` are set, for `i`
//! from 0 to 7. The first four bytes of the digest say which part of the accounts it is in, and are not used here.

use sha2::{Digest, Sha256};

use crate::domain::ids::AccountId;

use super::merkle::MerkleHash;

/// With eight probes, 12 bits an account are mistaken for 3 of 1,000 others.
const BITS_EACH: u64 = 12;
const PROBES: u64 = 8;

/// What is needed of an account's id to find its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountDigest {
    part: u32,
    start: u64,
    step: u64,
}

impl AccountDigest {
    #[must_use]
    pub fn of(account: &AccountId) -> Self {
        Self::of_text(account.as_str())
    }

    /// Of an id as it is stored.
    #[must_use]
    pub fn of_text(account: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(account).into();
        let word = |word: usize| {
            let bytes = digest.chunks_exact(8).nth(word).and_then(|bytes| bytes.first_chunk().copied());
            bytes.map(u64::from_be_bytes).unwrap_or_default()
        };
        let part = digest.first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default();
        Self { part, start: word(1), step: word(2) | 1 }
    }

    /// In which of so many equal parts the account is.
    #[must_use]
    pub fn part_of(self, parts: u32) -> u32 {
        self.part.checked_rem(parts).unwrap_or(0)
    }

    fn probes(self, bits: u64) -> impl Iterator<Item = u64> {
        let place = move |probe: u64| self.start.wrapping_add(self.step.wrapping_mul(probe));
        (0..PROBES).filter_map(move |probe| place(probe).checked_rem(bits))
    }
}

/// The accounts that were opened before.
#[derive(Clone, PartialEq, Eq)]
pub struct EarlierAccounts {
    bytes: Vec<u8>,
    accounts: u64,
}

impl EarlierAccounts {
    /// Without accounts, and with room for so many.
    #[must_use]
    pub fn with_room_for(accounts: u64) -> Self {
        let bytes = accounts.saturating_mul(BITS_EACH).div_ceil(8);
        Self { bytes: vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)], accounts: 0 }
    }

    /// As it was stored, with how many accounts are in it.
    #[must_use]
    pub const fn stored(bytes: Vec<u8>, accounts: u64) -> Self {
        Self { bytes, accounts }
    }

    pub fn insert(&mut self, account: AccountDigest) {
        for bit in account.probes(self.bits()) {
            if let Some(byte) = self.bytes.get_mut(byte_of(bit)) {
                *byte |= mask_of(bit);
            }
        }
        self.accounts = self.accounts.saturating_add(1);
    }

    /// Whether the account counts as opened before. One that was always does.
    #[must_use]
    pub fn has(&self, account: AccountDigest) -> bool {
        let is_set = |bit| self.bytes.get(byte_of(bit)).is_some_and(|byte| byte & mask_of(bit) != 0);
        !self.bytes.is_empty() && account.probes(self.bits()).all(is_set)
    }

    /// How many accounts were put into it.
    #[must_use]
    pub const fn accounts(&self) -> u64 {
        self.accounts
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub fn digest(&self) -> MerkleHash {
        Sha256::digest(&self.bytes).into()
    }

    fn bits(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX).saturating_mul(8)
    }
}

fn byte_of(bit: u64) -> usize {
    usize::try_from(bit / 8).unwrap_or(usize::MAX)
}

const fn mask_of(bit: u64) -> u8 {
    1 << (bit % 8)
}

/// Without its bytes, which are millions.
impl std::fmt::Debug for EarlierAccounts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes, accounts } = self;
        formatter
            .debug_struct("EarlierAccounts")
            .field("bytes", &bytes.len())
            .field("accounts", accounts)
            .finish()
    }
}
