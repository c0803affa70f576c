//! How much has been used in each window of a limit, and how much may be used?

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    amount::Credits,
    catalog::{Catalog, Limit, Measure, Plan, WindowKind},
    time::{CalendarUnit, Period, Timestamp},
};

/// Into how many parts a rolling window is divided. A part counts until its end has left the window, so a
/// rolling limit is never exceeded, and at worst relaxes one part late.
const ROLLING_PARTS: i64 = 96;

/// What is counted: a measure over a unit of the calendar, or of the time just past.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct WindowKey {
    pub measure: Measure,
    pub unit: CalendarUnit,
    pub kind: WindowKind,
}

/// One window that a movement counts in, as it was when the movement was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UsageWindow {
    #[serde(flatten)]
    pub key: WindowKey,
    /// The start of the calendar unit, or of the part of a rolling window.
    pub start: Timestamp,
    /// How much the movement adds: credits, or 1 for a generation.
    pub count: u64,
}

/// What has been used, per window. Kept for every window that the catalog limits on any plan, so that a
/// change of plan finds the counts of today.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    #[serde(with = "super::pairs")]
    counts: BTreeMap<WindowKey, BTreeMap<Timestamp, u64>>,
}

/// Where an account stands against one limit of its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitState {
    #[serde(flatten)]
    pub key: WindowKey,
    pub max: u64,
    pub used: u64,
    pub remaining: u64,
    /// When used counts drop out of the window again; for a rolling window, the first that does.
    pub resets_at: Timestamp,
}

impl Usage {
    /// Counts a movement.
    pub fn add(&mut self, windows: &[UsageWindow]) {
        for window in windows {
            let parts = self.counts.entry(window.key).or_default();
            let count = parts.entry(window.start).or_default();
            *count = count.saturating_add(window.count);
            forget(parts, window);
        }
    }

    /// Takes a movement out again, where its window is still counted.
    pub fn remove(&mut self, windows: &[UsageWindow]) {
        for window in windows {
            let count = self.counts.get_mut(&window.key).and_then(|parts| parts.get_mut(&window.start));
            if let Some(count) = count {
                *count = count.saturating_sub(window.count);
            }
        }
    }

    /// Where the account stands against `limit` at `at`.
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

/// What is counted at all: what any plan of the catalog limits.
#[must_use]
pub fn keys(catalog: &Catalog) -> BTreeSet<WindowKey> {
    catalog.plans.iter().flat_map(|plan| &plan.limits).map(Limit::key).collect()
}

/// The windows that spending `amount` on `generations` generations counts in, over all plans of the catalog.
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

/// Where the account stands against every limit of `plan`.
#[must_use]
pub fn states(usage: &Usage, plan: &Plan, catalog: &Catalog, at: Timestamp) -> Vec<LimitState> {
    plan.limits.iter().map(|limit| usage.state(limit, catalog, at)).collect()
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

    /// The key under which a movement at `at` is counted.
    pub(super) fn start(self, catalog: &Catalog, at: Timestamp) -> Timestamp {
        match self.kind {
            WindowKind::Calendar => self.unit.around(at, catalog.time_zone).start,
            WindowKind::Rolling => {
                let part = self.part().num_seconds().max(1);
                Timestamp::from_seconds(at.seconds().div_euclid(part).saturating_mul(part)).unwrap_or(at)
            }
        }
    }

    /// The starts that count at `at`.
    fn span(self, catalog: &Catalog, at: Timestamp) -> Period {
        match self.kind {
            WindowKind::Calendar => self.unit.around(at, catalog.time_zone),
            WindowKind::Rolling => {
                // A part that began up to one part before the window still reaches into it.
                let start = at.minus(self.unit.rolling()).minus(self.part());
                Period { start: start.plus(chrono::TimeDelta::microseconds(1)), end: at }
            }
        }
    }
}

/// Drops what can no longer count: everything a unit before what was just added.
fn forget(parts: &mut BTreeMap<Timestamp, u64>, window: &UsageWindow) {
    let oldest = match window.key.kind {
        WindowKind::Calendar => window.start,
        WindowKind::Rolling => window.start.minus(window.key.unit.rolling()).minus(window.key.part()),
    };
    while parts.first_key_value().is_some_and(|(start, _)| *start < oldest) {
        parts.pop_first();
    }
}
