//! In which order were the reports on a subscription made?
//!
//! Reports come in any order, and have their time only to the second.
//! The order here depends only on the set of reports, so that it is always the same.

use super::{
    report::{ReportOrder, SubscriptionState, TermsChange},
    time::Timestamp,
};

/// How many reports of one second are ordered by what they say. If there are more, they are ordered by their ids.
const PEERS_MAX: usize = 6;

/// A report, or the parts of it that its order depends on.
pub trait StoredReport {
    /// Whether it says that the subscription has ended. Such a report comes after all others.
    fn is_end(&self) -> bool;
    fn reported_at(&self) -> Timestamp;
    fn rank(&self) -> u8;
    fn id(&self) -> &str;
    fn step(&self) -> Option<&TermsChange>;
}

impl StoredReport for SubscriptionState {
    fn is_end(&self) -> bool {
        self.ended_at.is_some()
    }

    fn reported_at(&self) -> Timestamp {
        self.evidence.reported_at
    }

    fn rank(&self) -> u8 {
        self.evidence.rank
    }

    fn id(&self) -> &str {
        self.evidence.id.as_str()
    }

    fn step(&self) -> Option<&TermsChange> {
        self.evidence.step.as_ref()
    }
}

/// The order of a report, with anything else.
impl<T> StoredReport for (ReportOrder, T) {
    fn is_end(&self) -> bool {
        false
    }

    fn reported_at(&self) -> Timestamp {
        self.0.reported_at
    }

    fn rank(&self) -> u8 {
        self.0.rank
    }

    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    fn step(&self) -> Option<&TermsChange> {
        self.0.step.as_ref()
    }
}

impl<T: StoredReport> StoredReport for &T {
    fn is_end(&self) -> bool {
        (*self).is_end()
    }

    fn reported_at(&self) -> Timestamp {
        (*self).reported_at()
    }

    fn rank(&self) -> u8 {
        (*self).rank()
    }

    fn id(&self) -> &str {
        (*self).id()
    }

    fn step(&self) -> Option<&TermsChange> {
        (*self).step()
    }
}

/// The reports on one subscription in the order in which they were made, the newest last.
///
/// Reports of one second and rank are ordered so that as many as possible begin where the one before ended, and the
/// first where the second before ended.
/// Of several such orders, and among reports that do not say where they begin, the one by id is taken.
#[must_use]
pub fn in_order<T: StoredReport>(reports: Vec<T>) -> Vec<T> {
    let mut ordered = Vec::with_capacity(reports.len());
    for report in reports {
        put_in_order(&mut ordered, report);
    }
    ordered
}

/// Inserts a report into reports that are in order.
/// Only the reports of its second are ordered again, and those of later seconds as far as they then begin elsewhere.
pub fn put_in_order<T: StoredReport>(reports: &mut Vec<T>, report: T) {
    let second_of_new = second(&report);
    let start = reports.partition_point(|known| second(known) < second_of_new);
    let end = reports.partition_point(|known| second(known) <= second_of_new);
    let last_before = last_id(reports, start, end);
    reports.insert(end, report);
    let mut span = (start, end.saturating_add(1));
    chain(reports, span);
    let mut changed = last_before != last_id(reports, span.0, span.1);
    while changed && span.1 < reports.len() {
        let Some(next) = reports.get(span.1).map(second) else { return };
        let end = reports.partition_point(|known| second(known) <= next);
        span = (span.1, end);
        let before = last_id(reports, span.0, span.1);
        chain(reports, span);
        changed = before != last_id(reports, span.0, span.1);
    }
}

/// What the order depends on first: all reports that are equal in this are one second.
fn second<T: StoredReport>(report: &T) -> (bool, Timestamp, u8) {
    (report.is_end(), report.reported_at(), report.rank())
}

/// What the last report of a second ends with.
fn last_id<T: StoredReport>(reports: &[T], start: usize, end: usize) -> Option<String> {
    let last = reports.get(start..end).and_then(<[T]>::last);
    last.map(|last| last.id().to_owned())
}

/// Orders the reports of one second, after the last report before them.
fn chain<T: StoredReport>(reports: &mut [T], (start, end): (usize, usize)) {
    let (before, rest) = reports.split_at_mut_checked(start).unwrap_or_default();
    let length = end.saturating_sub(start).min(rest.len());
    let Some((peers, _)) = rest.split_at_mut_checked(length) else { return };
    peers.sort_by(|one, other| one.id().cmp(other.id()));
    if peers.len() < 2 || peers.len() > PEERS_MAX {
        return;
    }
    let places = ReportLinks::between(before.last(), peers).best_order();
    // Each round brings one report to its place, so there are as many rounds as reports.
    let mut at: Vec<usize> = (0..peers.len()).collect();
    for (place, number) in places.into_iter().enumerate() {
        let Some(found) = at.iter().position(|known| *known == number) else { return };
        peers.swap(place, found);
        at.swap(place, found);
    }
}

/// Which reports begin where which other one ended.
struct ReportLinks {
    /// How many there are.
    count: usize,
    /// For each report, by the number of the report before it; the last entry is for what came before all of them.
    follows: Vec<Vec<bool>>,
}

impl ReportLinks {
    fn between<T: StoredReport>(before: Option<&T>, peers: &[T]) -> Self {
        let goes_on = |last: Option<&TermsChange>, next: Option<&TermsChange>| {
            last.zip(next).is_some_and(|(last, next)| next.from.as_ref() == Some(&last.to))
        };
        let of = |last: Option<&TermsChange>| peers.iter().map(|next| goes_on(last, next.step())).collect();
        let mut follows: Vec<Vec<bool>> = peers.iter().map(|last| of(last.step())).collect();
        follows.push(of(before.and_then(StoredReport::step)));
        Self { count: peers.len(), follows }
    }

    fn goes_on(&self, last: usize, next: usize) -> bool {
        self.follows.get(last).and_then(|follows| follows.get(next)).copied().unwrap_or(false)
    }

    /// The order with the most links; of several, the first by number.
    fn best_order(&self) -> Vec<usize> {
        // For each set of placed reports, as bits, and each last one: how many links can still follow.
        let whole: usize = (1_usize << self.count.min(PEERS_MAX)).saturating_sub(1);
        let mut best = vec![vec![0_u8; self.count.saturating_add(1)]; whole.saturating_add(1)];
        for placed in (0..whole).rev() {
            for last in 0..=self.count {
                let most = self.left(placed).map(|next| self.worth(&best, placed, last, next)).max();
                if let Some(slot) = best.get_mut(placed).and_then(|row| row.get_mut(last)) {
                    *slot = most.unwrap_or(0);
                }
            }
        }
        let (mut order, mut placed, mut last) = (Vec::with_capacity(self.count), 0_usize, self.count);
        while placed != whole {
            let most = self.left(placed).map(|next| self.worth(&best, placed, last, next)).max();
            let next = self.left(placed).find(|next| Some(self.worth(&best, placed, last, *next)) == most);
            let Some(next) = next else { break };
            order.push(next);
            (placed, last) = (placed | (1 << next), next);
        }
        order
    }

    /// The reports that are not in the set `placed`.
    fn left(&self, placed: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.count).filter(move |number| placed & (1 << number) == 0)
    }

    /// The most links if `next` is placed after `last`.
    fn worth(&self, best: &[Vec<u8>], placed: usize, last: usize, next: usize) -> u8 {
        let then = best.get(placed | (1 << next)).and_then(|row| row.get(next)).copied().unwrap_or(0);
        then.saturating_add(u8::from(self.goes_on(last, next)))
    }
}
