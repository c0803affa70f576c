//! What does the simulation store in? A journal in memory, with the constraints of the real one: its head, its unique
//! keys, its places in a stream.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    domain::{
        account::Account,
        event::{Event, HoldEvent},
        ids::{AccountId, HoldId},
        recorded::{Position, RecordedEvent, Shard},
    },
    journal::{
        load::LoadedAccount,
        merkle::MerkleHash,
        preconditions::Precondition,
        row::{Hashed, NewRows, StoredKey},
        unique::{Unique, first_of, key_digest},
        upcast,
    },
    ledger::{request::AccountUnique, sequencer::AppendRequest},
};

/// An event, and what the journal's constraints look at.
pub(super) struct Stored {
    pub recorded: RecordedEvent,
    pub key: Option<Uuid>,
    pub generation: Option<String>,
    leaf_hash: MerkleHash,
}

/// One of the rows of a batch.
struct SimulatedRow<'a> {
    account: &'a AccountId,
    sequence: i64,
    event_type: &'static str,
    event_version: &'static str,
    payload: &'a str,
    metadata: &'a str,
    key: Option<Uuid>,
    generation: Option<&'a str>,
    leaf_hash: MerkleHash,
}

fn rows(rows: &NewRows) -> Vec<SimulatedRow<'_>> {
    let row = |at: usize| SimulatedRow {
        account: &rows.accounts[at],
        sequence: rows.sequences[at],
        event_type: rows.event_types[at],
        event_version: rows.event_versions[at],
        payload: &rows.payloads[at],
        metadata: &rows.metadata[at],
        key: rows.key_digests[at],
        generation: rows.generations[at].as_deref(),
        leaf_hash: rows.leaf_hashes[at],
    };
    (0..rows.len()).map(row).collect()
}

/// One shard.
pub(super) struct SimulatedJournal {
    pub shard: Shard,
    pub events: Vec<Stored>,
}

/// Nothing was stored: another writer was there since, or something is taken.
pub(super) struct NotAppended;

impl SimulatedJournal {
    pub(super) const fn of_shard(shard: Shard) -> Self {
        Self { shard, events: Vec::new() }
    }

    pub(super) fn head(&self) -> Position {
        Position(i64::try_from(self.events.len()).expect("a small number"))
    }

    pub(super) fn append(&mut self, request: &AppendRequest) -> Result<Position, NotAppended> {
        let rows = rows(&request.rows);
        assert_eq!(request.shard, self.shard, "a batch is sent to another shard");
        if request.expected != self.head() || rows.iter().any(|row| self.is_taken(row)) || has_twins(&rows) {
            return Err(NotAppended);
        }
        for row in rows {
            let position = Position(self.head().0 + 1);
            let metadata = serde_json::from_str(row.metadata).expect("it was written as metadata");
            let event = upcast::read(row.event_type, row.event_version, row.payload);
            self.events.push(Stored {
                recorded: RecordedEvent {
                    shard: self.shard,
                    position,
                    account: row.account.clone(),
                    sequence: row.sequence,
                    recorded_at: request.recorded_at,
                    event: event.expect("it was written as an event"),
                    metadata,
                },
                key: row.key,
                generation: row.generation.map(str::to_owned),
                leaf_hash: row.leaf_hash,
            });
            assert_eq!(leaf(&row, position, request), row.leaf_hash, "a row was hashed for another place");
        }
        Ok(self.head())
    }

    fn is_taken(&self, row: &SimulatedRow<'_>) -> bool {
        self.of(row.account).any(|stored| {
            stored.recorded.sequence == row.sequence
                || stored.key.is_some() && stored.key == row.key
                || stored.generation.is_some() && stored.generation.as_deref() == row.generation
        })
    }

    pub(super) fn of<'a>(&'a self, id: &'a AccountId) -> impl Iterator<Item = &'a Stored> {
        self.events.iter().filter(move |stored| stored.recorded.account == *id)
    }

    /// The holds that are stored, the newest last.
    pub(super) fn holds(&self) -> Vec<(AccountId, HoldId)> {
        let stored = self.events.iter().map(|stored| &stored.recorded);
        let held = stored.filter_map(|recorded| {
            let Event::Hold(HoldEvent::CreditsHeld { hold_id, .. }) = &recorded.event else { return None };
            Some((recorded.account.clone(), hold_id.clone()))
        });
        held.collect()
    }

    /// An account as the events up to a position left it.
    pub(super) fn account_at(&self, id: &AccountId, position: Position) -> LoadedAccount {
        let mut account = LoadedAccount::nothing(id.clone());
        for stored in self.of(id).take_while(|stored| stored.recorded.position <= position) {
            account.state.apply(&stored.recorded.event).expect("a history that the rules write");
            account.tail = Some(stored.leaf_hash);
        }
        account
    }

    pub(super) fn state_at(&self, id: &AccountId, position: Position) -> Account {
        self.account_at(id, position).state
    }

    pub(super) fn load(&self, ids: &[AccountId]) -> Vec<LoadedAccount> {
        ids.iter().map(|id| self.account_at(id, self.head())).collect()
    }

    pub(super) fn find(&self, uniques: &[AccountUnique]) -> BTreeMap<AccountUnique, Vec<RecordedEvent>> {
        let mut found = BTreeMap::new();
        for (id, unique) in uniques {
            if let Some(with) = self.of(id).find(|stored| stored.has(unique)) {
                let command = with.recorded.command();
                let events = self.of(id).map(|stored| &stored.recorded);
                let events = events.filter(|recorded| recorded.command() == command);
                found.insert((id.clone(), unique.clone()), events.cloned().collect());
            }
        }
        found
    }

    pub(super) fn outdated(&self, preconditions: &[Precondition]) -> Vec<usize> {
        let is_outdated = |claim: &Precondition| {
            self.of(&claim.account).any(|stored| {
                claim.sequence.is_some_and(|sequence| stored.recorded.sequence == sequence + 1)
                    || claim.free.as_ref().is_some_and(|unique| stored.has(unique))
            })
        };
        let numbered = preconditions.iter().enumerate();
        numbered.filter(|(_, claim)| is_outdated(claim)).map(|(index, _)| index).collect()
    }
}

impl Stored {
    pub(super) fn has(&self, unique: &Unique) -> bool {
        match unique {
            Unique::Key(key) => self.key == Some(key_digest(&self.recorded.account, key)),
            Unique::Generation(id) => self.generation.as_ref() == Some(&first_of(id)),
        }
    }
}

/// Whether two rows of one batch have the same place, key or generation, which a unique index refuses, too.
fn has_twins(rows: &[SimulatedRow<'_>]) -> bool {
    rows.iter().enumerate().any(|(index, row)| {
        rows.iter().take(index).filter(|other| other.account == row.account).any(|other| {
            other.sequence == row.sequence
                || row.key.is_some() && other.key == row.key
                || row.generation.is_some() && other.generation == row.generation
        })
    })
}

/// The hash that a row has to have at its place.
fn leaf(row: &SimulatedRow<'_>, position: Position, request: &AppendRequest) -> MerkleHash {
    Hashed {
        shard: request.shard,
        position: position.0,
        account: row.account.as_str(),
        sequence: row.sequence,
        event_type: row.event_type,
        event_version: row.event_version,
        payload: row.payload,
        metadata: row.metadata,
        recorded_at: request.recorded_at,
        key: row.key.map(StoredKey::Digest),
    }
    .leaf()
}
