//! In which order was what we were told said?
//!
//! Reports come in any order, and say when they were made only to the second. The order here follows from the set of
//! them alone, so that everybody who asks gets the same answer.

use super::{
    report::{Evidence, Step, SubscriptionTerms},
    time::Timestamp,
};

/// How many reports of one second are put in order by what they say. More of them are ordered by their ids.
const PEERS_MAX: usize = 6;

/// A report, or what is left of one.
pub trait Told {
    /// Whether it says that the subscription has ended. That is later than anything that says otherwise.
    fn is_end(&self) -> bool;
    fn reported_at(&self) -> Timestamp;
    fn rank(&self) -> u8;
    fn id(&self) -> &str;
    fn step(&self) -> Option<&Step>;
}

impl Told for SubscriptionTerms {
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

    fn step(&self) -> Option<&Step> {
        self.evidence.step.as_ref()
    }
}

/// A report of which nothing is left but where it stands, and something else.
impl<T> Told for (Evidence, T) {
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

    fn step(&self) -> Option<&Step> {
        self.0.step.as_ref()
    }
}

impl<T: Told> Told for &T {
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

    fn step(&self) -> Option<&Step> {
        (*self).step()
    }
}

/// The reports on one subscription in the order in which they were made, the newest last.
///
/// Those of one second and rank are put so that as many as possible begin where the one before ended, the first of them
/// where the second before ended; of several such orders, and where nothing is said, the one that their ids have.
#[must_use]
pub fn in_order<T: Told>(mut reports: Vec<T>) -> Vec<T> {
    fn second<T: Told>(report: &T) -> (bool, Timestamp, u8) {
        (report.is_end(), report.reported_at(), report.rank())
    }
    reports.sort_by(|one, other| (second(one), one.id()).cmp(&(second(other), other.id())));
    let mut ordered = Vec::with_capacity(reports.len());
    let mut peers: Vec<T> = Vec::new();
    for report in reports {
        if peers.last().is_some_and(|peer| second(peer) != second(&report)) {
            let peers = chained(ordered.last(), std::mem::take(&mut peers));
            ordered.extend(peers);
        }
        peers.push(report);
    }
    let peers = chained(ordered.last(), peers);
    ordered.extend(peers);
    ordered
}

/// Reports of one second, which come sorted by their ids, after the last one of those before.
fn chained<T: Told>(before: Option<&T>, peers: Vec<T>) -> Vec<T> {
    if peers.len() < 2 || peers.len() > PEERS_MAX {
        return peers;
    }
    let steps: Vec<Option<&Step>> = peers.iter().map(Told::step).collect();
    let mut best = Chain::default();
    Chain::default().extend(before.and_then(Told::step), &steps, &mut best);
    let mut numbered: Vec<(Option<usize>, T)> = peers
        .into_iter()
        .enumerate()
        .map(|(number, peer)| (best.order.iter().position(|place| *place == number), peer))
        .collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, peer)| peer).collect()
}

/// An order of reports by their numbers, and how many of them begin where the one before ended.
#[derive(Clone, Default)]
struct Chain {
    order: Vec<usize>,
    links: usize,
}

impl Chain {
    /// Tries every order that begins with this one. Of equally good ones the first is kept.
    fn extend(&self, before: Option<&Step>, steps: &[Option<&Step>], best: &mut Self) {
        if self.order.len() == steps.len() {
            if best.order.is_empty() || self.links > best.links {
                *best = self.clone();
            }
            return;
        }
        let last = match self.order.last() {
            Some(last) => steps.get(*last).copied().flatten(),
            None => before,
        };
        for (number, step) in steps.iter().enumerate().filter(|(number, _)| !self.order.contains(number)) {
            let goes_on = last.zip(*step).is_some_and(|(last, step)| step.from.as_ref() == Some(&last.to));
            let mut longer = self.clone();
            longer.order.push(number);
            longer.links = longer.links.saturating_add(usize::from(goes_on));
            longer.extend(before, steps, best);
        }
    }
}
