//! How much has been used in each window of a limit, and how much may be used?

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    amount::Credits,
    catalog::{Catalog, Limit, Measure, Plan, WindowKind},
    time::{CalendarUnit, Period, Timestamp},
};

/// Into how many parts a rolling window is divided.
/// A part counts until its end has left the window, so that a rolling limit is never exceeded, and counts drop out at
/// most one part late.
const ROLLING_PARTS: i64 = 96;

/// What is counted: a measure in a calendar unit, or in the time before now.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct WindowKey {
    pub measure: Measure,
    pub unit: CalendarUnit,
    pub kind: WindowKind,
}

/// A window in which a deduction or hold counts, as decided at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UsageWindow {
    #[serde(flatten)]
    pub key: WindowKey,
    /// The start of the calendar unit, or of the part of a rolling window.
    pub start: Timestamp,
    /// How much is counted: credits, or 1 for a generation.
    pub count: u64,
}

/// What has been used, by window.
/// All windows that any plan of the catalog limits are counted, so that a plan that is changed to knows what was used
/// before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    #[serde(with = "super::pairs")]
    counts: BTreeMap<WindowKey, BTreeMap<Timestamp, u64>>,
}

/// The state of one limit of an account's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitState {
    #[serde(flatten)]
    pub key: WindowKey,
    pub max: u64,
    pub used: u64,
    pub remaining: u64,
    /// When used counts drop out of the window; for a rolling window, when the first of them do.
    pub resets_at: Timestamp,
}

impl Usage {
    /// Adds counts to their windows.
    pub fn add(&mut self, windows: &[UsageWindow]) {
        for window in windows {
            let parts = self.counts.entry(window.key).or_default();
            let count = parts.entry(window.start).or_default();
            *count = count.saturating_add(window.count);
            forget(parts, window);
        }
    }

    /// Removes counts from windows that are still kept.
    pub fn remove(&mut self, windows: &[UsageWindow]) {
        for window in windows {
            let count = self.counts.get_mut(&window.key).and_then(|parts| parts.get_mut(&window.start));
            if let Some(count) = count {
                *count = count.saturating_sub(window.count);
            }
        }
    }

    /// The state of `limit` at `at`.
    #[must_use]
    pub fn state(&self, limit: &Limit, catalog: &Catalog, at: Timestamp) -> LimitState {
        let key = limit.key();
        let span = key.span(catalog, at);
        let parts = self.counts.get(&key);
        let counted = parts.into_iter().flat_map(|parts| parts.range(span.start..)).filter(|(_, n)| **n > 0);
        let used = counted.clone().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        let first = counted.map(|(start, _)| *start).next();
        let resets_at = match limit.window {
            WindowKind::Calendar => span.end,
            WindowKind::Rolling => {
                first.map_or(at, |start| start.plus(key.part()).plus(limit.unit.rolling()))
            }
        };
        LimitState { key, max: limit.max, used, remaining: limit.max.saturating_sub(used), resets_at }
    }
}

/// All windows that any plan of the catalog limits.
#[must_use]
pub fn keys(catalog: &Catalog) -> BTreeSet<WindowKey> {
    catalog.plans.iter().flat_map(|plan| &plan.limits).map(Limit::key).collect()
}

/// The windows in which spending `amount` on `generations` generations counts, for all plans of the catalog.
#[must_use]
pub fn windows(catalog: &Catalog, generations: u64, amount: Credits, at: Timestamp) -> Vec<UsageWindow> {
    let mut windows: Vec<UsageWindow> = Vec::new();
    for limit in catalog.plans.iter().flat_map(|plan| &plan.limits) {
        let key = limit.key();
        let count = match key.measure {
            Measure::Generations => generations,
            Measure::Credits => u64::try_from(amount.get()).unwrap_or(0),
        };
        if count > 0 && windows.iter().all(|window| window.key != key) {
            windows.push(UsageWindow { key, start: key.start(catalog, at), count });
        }
    }
    windows
}

/// Splits windows into those of the first `amount` credits and those of the rest, the oldest first.
/// Generations belong to the first part: what was spent for one is never all returned.
#[must_use]
pub fn split(windows: &[UsageWindow], amount: Credits) -> (Vec<UsageWindow>, Vec<UsageWindow>) {
    let amount = u64::try_from(amount.get()).unwrap_or(0);
    let mut wanted: BTreeMap<WindowKey, u64> = BTreeMap::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for window in windows {
        let taken = match window.key.measure {
            Measure::Generations => window.count,
            Measure::Credits => {
                let wanted = wanted.entry(window.key).or_insert(amount);
                let taken = window.count.min(*wanted);
                *wanted = wanted.saturating_sub(taken);
                taken
            }
        };
        let left = window.count.saturating_sub(taken);
        first.extend((taken > 0).then_some(UsageWindow { count: taken, ..*window }));
        rest.extend((left > 0).then_some(UsageWindow { count: left, ..*window }));
    }
    (first, rest)
}

/// Takes counts out of windows, and leaves out windows that are empty then.
pub(super) fn take_out(windows: &mut Vec<UsageWindow>, taken: &[UsageWindow]) {
    for part in taken {
        if let Some(window) = windows.iter_mut().find(|window| window.is_with(part)) {
            window.count = window.count.saturating_sub(part.count);
        }
    }
    windows.retain(|window| window.count > 0);
}

/// Adds counts to windows, and appends windows that were not there.
pub(super) fn put_in(windows: &mut Vec<UsageWindow>, added: &[UsageWindow]) {
    for part in added {
        match windows.iter_mut().find(|window| window.is_with(part)) {
            Some(window) => window.count = window.count.saturating_add(part.count),
            None => windows.push(*part),
        }
    }
}

/// The state of every limit of `plan`.
#[must_use]
pub fn states(usage: &Usage, plan: &Plan, catalog: &Catalog, at: Timestamp) -> Vec<LimitState> {
    plan.limits.iter().map(|limit| usage.state(limit, catalog, at)).collect()
}

impl UsageWindow {
    fn is_with(&self, other: &Self) -> bool {
        self.key == other.key && self.start == other.start
    }
}

impl Limit {
    #[must_use]
    pub const fn key(&self) -> WindowKey {
        WindowKey { measure: self.measure, unit: self.unit, kind: self.window }
    }
}

impl WindowKey {
    /// The length of a part of a rolling window.
    fn part(self) -> chrono::TimeDelta {
        chrono::TimeDelta::seconds(self.unit.rolling().num_seconds() / ROLLING_PARTS)
    }

    /// The start of the calendar unit, or of the part of a rolling window, in which `at` counts.
    pub(super) fn start(self, catalog: &Catalog, at: Timestamp) -> Timestamp {
        match self.kind {
            WindowKind::Calendar => self.unit.around(at, catalog.time_zone).start,
            WindowKind::Rolling => {
                let part = self.part().num_seconds().max(1);
                Timestamp::from_seconds(at.seconds().div_euclid(part).saturating_mul(part)).unwrap_or(at)
            }
        }
    }

    /// The starts of the units or parts that count at `at`.
    fn span(self, catalog: &Catalog, at: Timestamp) -> Period {
        match self.kind {
            WindowKind::Calendar => self.unit.around(at, catalog.time_zone),
            WindowKind::Rolling => {
                // A part that began up to one part before the window reaches into it.
                let start = at.minus(self.unit.rolling()).minus(self.part());
                Period { start: start.plus(chrono::TimeDelta::microseconds(1)), end: at }
            }
        }
    }
}

/// Removes counts that can no longer matter: those that are a unit older than what was just added.
fn forget(parts: &mut BTreeMap<Timestamp, u64>, window: &UsageWindow) {
    let oldest = match window.key.kind {
        WindowKind::Calendar => window.start,
        WindowKind::Rolling => window.start.minus(window.key.unit.rolling()).minus(window.key.part()),
    };
    while parts.first_key_value().is_some_and(|(start, _)| *start < oldest) {
        parts.pop_first();
    }
}
