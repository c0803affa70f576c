//! Which accounts stay in memory? Those that were used last, as many as there is memory for.

use hashlink::LruCache;
use rustc_hash::FxBuildHasher;

use crate::{domain::ids::AccountId, journal::load::LoadedAccount, ledger::cached_account::CachedAccount};

#[cfg(test)]
#[path = "../../../tests/unit/ledger/kept_accounts.rs"]
mod kept_accounts;

#[derive(Debug)]
pub(super) struct AccountCache {
    accounts: LruCache<AccountId, CachedAccount, FxBuildHasher>,
    /// How many bytes they take, about.
    bytes: usize,
    bytes_max: usize,
}

/// An account counts for at most this part of the memory, so that one that takes more than all of it stays while it is
/// used, and so do others.
const PART_MAX: usize = 4;

impl AccountCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { accounts: LruCache::with_hasher(usize::MAX, FxBuildHasher), bytes: 0, bytes_max }
    }

    pub(super) fn get(&self, id: &AccountId) -> Option<&LoadedAccount> {
        self.accounts.peek(id).map(|cached| &cached.account)
    }

    /// An account that is used now.
    pub(super) fn use_now(&mut self, id: &AccountId) -> Option<&mut LoadedAccount> {
        self.accounts.get_mut(id).map(|cached| &mut cached.account)
    }

    /// Replaces what is known of the account.
    pub(super) fn insert(&mut self, account: LoadedAccount) {
        let cached = CachedAccount::new(account);
        self.bytes = self.bytes.saturating_add(self.counted(&cached));
        if let Some(replaced) = self.accounts.insert(cached.account.id.clone(), cached) {
            self.bytes = self.bytes.saturating_sub(self.counted(&replaced));
        }
    }

    /// Takes note that the account has more events. Returns how many it has, and its bytes; `None`: it is not here.
    pub(super) fn weigh_again(&mut self, id: &AccountId) -> Option<(i64, usize)> {
        let most = self.bytes_max / PART_MAX;
        let cached = self.accounts.peek_mut(id)?;
        let before = cached.bytes().min(most);
        cached.weigh_again();
        self.bytes = self.bytes.saturating_sub(before).saturating_add(cached.bytes().min(most));
        Some((cached.account.sequence(), cached.bytes()))
    }

    /// Drops accounts that were not used for the longest time, until there is memory for the others.
    pub(super) fn make_room(&mut self) {
        while self.bytes > self.bytes_max
            && let Some((_, dropped)) = self.accounts.remove_lru()
        {
            self.bytes = self.bytes.saturating_sub(self.counted(&dropped));
        }
    }

    fn counted(&self, cached: &CachedAccount) -> usize {
        cached.bytes().min(self.bytes_max / PART_MAX)
    }
}
