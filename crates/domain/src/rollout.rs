//! For which accounts is billing on? For a share of them, which depends only on their ids, and for named ones.
//!
//! If billing is off, nothing is sold.
//! What was bought goes on: paid periods are granted, and subscriptions can be cancelled.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{ids::AccountId, refusal::Refusal};

/// How many places there are: a share is measured in hundredths of a percent.
pub const PLACES: u16 = 10_000;

/// Whether anything is sold to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingState {
    On,
    Off,
}

/// To which accounts something is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    On,
    /// To some accounts.
    Partly,
    Off,
}

/// The accounts that the operator has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// How many places are included, from 0 up.
    share: u16,
    /// Included, whatever their place.
    named: BTreeSet<AccountId>,
    /// Excluded, whatever their place.
    except: BTreeSet<AccountId>,
}

impl BillingState {
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }

    /// Refuses what would take money that would not be taken otherwise.
    ///
    /// # Errors
    /// If billing is off.
    pub const fn check(self) -> Result<(), Refusal> {
        match self {
            Self::On => Ok(()),
            Self::Off => Err(Refusal::BillingOff),
        }
    }
}

impl Reach {
    /// Whether anything is sold to any account.
    #[must_use]
    pub const fn sells(self) -> bool {
        matches!(self, Self::On | Self::Partly)
    }
}

impl Rollout {
    /// A share of `share` places, plus `named` accounts, minus those in `except`.
    #[must_use]
    pub fn new(share: u16, named: BTreeSet<AccountId>, except: BTreeSet<AccountId>) -> Self {
        Self { share: share.min(PLACES), named, except }
    }

    #[must_use]
    pub const fn everybody() -> Self {
        Self { share: PLACES, named: BTreeSet::new(), except: BTreeSet::new() }
    }

    #[must_use]
    pub fn state_of(&self, account: &AccountId) -> BillingState {
        let is_in = place(account) < self.share || self.named.contains(account);
        if is_in && !self.except.contains(account) { BillingState::On } else { BillingState::Off }
    }

    #[must_use]
    pub fn reach(&self) -> Reach {
        match (self.share, self.named.is_empty(), self.except.is_empty()) {
            (PLACES, _, true) => Reach::On,
            (0, true, _) => Reach::Off,
            _ => Reach::Partly,
        }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, hundredths) = (self.share.checked_div(100), self.share.checked_rem(100));
        write!(formatter, "{}.{:02} % of the accounts", percent.unwrap_or(0), hundredths.unwrap_or(0))?;
        if !self.named.is_empty() {
            write!(formatter, ", and {} that are named", self.named.len())?;
        }
        if !self.except.is_empty() {
            write!(formatter, ", without {}", self.except.len())?;
        }
        Ok(())
    }
}

/// The place of an account: the first four bytes of the SHA-256 of its id, as a big-endian number, modulo [`PLACES`].
///
/// It never changes, since other programs compute it, too, and an account that is included at one share must be
/// included at every larger one.
#[must_use]
pub fn place(account: &AccountId) -> u16 {
    let digest = Sha256::digest(account.as_str());
    let number = digest.first_chunk::<4>().copied().map_or(0, u32::from_be_bytes);
    u16::try_from(number.checked_rem(u32::from(PLACES)).unwrap_or(0)).unwrap_or(0)
}
