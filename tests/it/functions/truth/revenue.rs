//! What does an account bring in a month, on each day, and what was listed of days that were over?

use std::collections::BTreeMap;

use chrono::NaiveDate;
use counterfoil::{
    domain::{
        account::Account,
        event::Event,
        ids::AccountId,
        recorded::{Position, RecordedEvent, Shard},
        time::Timestamp,
    },
    projections::mrr::{
        History,
        movements::{DayMovement, MovementKind},
    },
};

use crate::support::ledger::metadata;

type Key = (String, NaiveDate);

/// Kind, before, after, by currency and day.
pub type Movements = BTreeMap<Key, (MovementKind, i64, i64)>;

#[derive(Clone, Default)]
pub struct Revenue {
    history: History,
    sequence: i64,
    /// What was known at the end of each day on which something became known, but the last one.
    known: BTreeMap<NaiveDate, BTreeMap<Key, i64>>,
    last_day: Option<NaiveDate>,
    /// By how much days were restated in all.
    restated: BTreeMap<Key, i64>,
}

impl Revenue {
    pub fn learn(&mut self, id: &AccountId, account: &Account, event: &Event, at: Timestamp) {
        let today = at.to_utc().date_naive();
        if let Some(over) = self.last_day.replace(today).filter(|last| *last != today) {
            self.known.insert(over, self.changes());
        }
        self.sequence += 1;
        let recorded = RecordedEvent {
            shard: Shard(0),
            position: Position(self.sequence),
            account: id.clone(),
            sequence: self.sequence,
            recorded_at: at,
            event: event.clone(),
            metadata: metadata(account.balance(at), None),
        };
        let change = |movement: Option<&DayMovement>| movement.map_or(0, DayMovement::change);
        for row in self.history.learn(&recorded).expect("it fits") {
            let difference = change(row.after.as_ref()) - change(row.before.as_ref());
            *self.restated.entry((row.currency, row.day)).or_default() += difference;
        }
    }

    pub fn movements(&self) -> Movements {
        let all = self.history.movements().into_iter().flatten();
        all.map(|(key, movement)| (key.clone(), (movement.kind, movement.before, movement.after))).collect()
    }

    fn changes(&self) -> BTreeMap<Key, i64> {
        let all = self.history.movements().into_iter().flatten();
        all.map(|(key, movement)| (key.clone(), movement.change())).collect()
    }

    /// What each day is now is what was known of it when it was over, and what was listed since.
    pub fn wrongly_restated(&self) -> Option<String> {
        let now = self.changes();
        let days = self.known.values().flat_map(BTreeMap::keys).chain(self.restated.keys()).chain(now.keys());
        let mut days = days.filter_map(|key| {
            let is_last = self.last_day.is_some_and(|last| last <= key.1);
            let then = self.known.range(..=key.1).next_back().map(|(_, known)| known);
            let by_then = if is_last { Some(&now) } else { then }.and_then(|known| known.get(key));
            let by_then = by_then.copied().unwrap_or(0);
            let listed = self.restated.get(key).copied().unwrap_or(0);
            let now = now.get(key).copied().unwrap_or(0);
            (by_then + listed != now)
                .then(|| format!("{} of {} was {by_then}, {listed} is listed, and it is {now}", key.0, key.1))
        });
        days.next()
    }
}
