//! What is the result of a run?

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;

/// Answers by class of status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statuses {
    /// 2xx: succeeded.
    pub success: u64,
    /// 3xx, and 1xx, which servers should not send here.
    pub other: u64,
    /// 4xx: refused.
    pub client_error: u64,
    /// 5xx: failed, or refused because of overload.
    pub server_error: u64,
}

/// What a server answered in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// Requests that were answered, with any status.
    pub requests: u64,
    /// Requests whose connection broke before the answer, or whose answer took too long.
    pub unanswered: u64,
    pub statuses: Statuses,
    /// Commands in answered requests; as many as requests, unless these are batches.
    pub items: u64,
    /// Commands that succeeded.
    pub items_accepted: u64,
    pub requests_per_second: u64,
    pub items_per_second: u64,
    /// Latencies of requests, in microseconds.
    pub p50_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
    pub elapsed_ms: u64,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statuses { success, other, client_error, server_error } = self.statuses;
        writeln!(
            out,
            "requests     {} in {} ms, {} unanswered",
            self.requests, self.elapsed_ms, self.unanswered
        )?;
        writeln!(out, "answers      2xx {success}, 4xx {client_error}, 5xx {server_error}, other {other}")?;
        writeln!(out, "commands     {}, {} carried out", self.items, self.items_accepted)?;
        writeln!(
            out,
            "per second   {} requests, {} commands",
            self.requests_per_second, self.items_per_second
        )?;
        write!(out, "latency      p50 {} us, p99 {} us, max {} us", self.p50_us, self.p99_us, self.max_us)
    }
}

/// What one connection counts.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionTally {
    latencies: Histogram,
    statuses: Statuses,
    unanswered: u64,
    items: u64,
    items_accepted: u64,
}

impl ConnectionTally {
    pub(super) fn record(&mut self, status: u16, latency: Duration, items: u64, items_accepted: u64) {
        self.latencies.record(latency);
        let class = match status {
            200..=299 => &mut self.statuses.success,
            400..=499 => &mut self.statuses.client_error,
            500..=599 => &mut self.statuses.server_error,
            _ => &mut self.statuses.other,
        };
        *class += 1;
        self.items += items;
        self.items_accepted += items_accepted;
    }

    pub(super) const fn record_unanswered(&mut self) {
        self.unanswered += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies);
        self.statuses.success += other.statuses.success;
        self.statuses.other += other.statuses.other;
        self.statuses.client_error += other.statuses.client_error;
        self.statuses.server_error += other.statuses.server_error;
        self.unanswered += other.unanswered;
        self.items += other.items;
        self.items_accepted += other.items_accepted;
    }

    pub(super) fn report(&self, elapsed: Duration) -> LoadReport {
        let requests = self.latencies.count();
        LoadReport {
            requests,
            unanswered: self.unanswered,
            statuses: self.statuses,
            items: self.items,
            items_accepted: self.items_accepted,
            requests_per_second: per_second(requests, elapsed),
            items_per_second: per_second(self.items, elapsed),
            p50_us: micros(self.latencies.at_per_mille(500)),
            p99_us: micros(self.latencies.at_per_mille(990)),
            max_us: micros(self.latencies.max()),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let rate = (u128::from(count) * 1_000_000_000).checked_div(elapsed.as_nanos());
    u64::try_from(rate.unwrap_or(0)).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
