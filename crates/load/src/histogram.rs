//! How long did most requests take, and how long the slowest?
//!
//! This is not an external crate: it only has to count a number in a few nanoseconds without allocating, to add
//! histograms, and to read a rank.
//! A crate would add reading and writing file formats.

use std::time::Duration;

/// Each power of two is divided into this many buckets, so a bucket is at most 1/64 (1.6 %) wide.
const BUCKETS_PER_DOUBLING: usize = 64;
const BUCKETS_PER_DOUBLING_LOG2: u32 = 6;
/// 2^40 ns, 18 minutes. Longer durations count as this.
const DURATION_NANOS_MAX: u64 = (1 << 40) - 1;
const BUCKETS: usize = 36 * BUCKETS_PER_DOUBLING;

/// Durations, counted in buckets whose width grows with the duration.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Box<[u64]>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS].into_boxed_slice(), max: Duration::ZERO }
    }
}

impl Histogram {
    pub fn record(&mut self, duration: Duration) {
        self.max = self.max.max(duration);
        if let Some(count) = self.buckets.get_mut(bucket_of(duration)) {
            *count += 1;
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.max = self.max.max(other.max);
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The exact longest duration.
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// The duration that `per_mille` of a thousand did not exceed: 500 is the median, and 990 is p99.
    /// It is the upper bound of a bucket, so never less than the true value and at most 1.6 % more.
    /// Zero if nothing was recorded.
    pub fn at_per_mille(&self, per_mille: u64) -> Duration {
        let rank = self.count().saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_edge(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// Below 64 ns, each nanosecond has a bucket; above, the highest seven bits choose the bucket within a power of two.
fn bucket_of(duration: Duration) -> usize {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).min(DURATION_NANOS_MAX);
    let doubling = nanos.max(1).ilog2().saturating_sub(BUCKETS_PER_DOUBLING_LOG2);
    let within = usize::try_from(nanos >> doubling).unwrap_or(0);
    usize::try_from(doubling).unwrap_or(0) * BUCKETS_PER_DOUBLING + within
}

/// The longest duration in this bucket.
fn upper_edge(bucket: usize) -> Duration {
    let doubling = (bucket / BUCKETS_PER_DOUBLING).saturating_sub(1);
    let within = bucket - doubling * BUCKETS_PER_DOUBLING;
    let next_edge = u64::try_from(within + 1).unwrap_or(0) << doubling;
    Duration::from_nanos(next_edge - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_at_or_closely_after_what_it_counts() {
        for nanos in (0..2_000).chain((0..30).map(|shift| 12_345_u64 << shift)) {
            let duration = Duration::from_nanos(nanos.min(DURATION_NANOS_MAX));
            let edge = upper_edge(bucket_of(duration));
            assert!(edge >= duration, "{duration:?} is beyond its bucket's edge {edge:?}");
            assert!(
                edge.as_nanos() - duration.as_nanos() <= duration.as_nanos() / 64,
                "{duration:?} {edge:?}"
            );
        }
    }

    #[test]
    fn ranks_are_read_over_everything_that_was_added() {
        let mut fast = Histogram::default();
        (0..990).for_each(|_| fast.record(Duration::from_millis(1)));
        let mut slow = Histogram::default();
        (0..10).for_each(|_| slow.record(Duration::from_secs(2)));
        fast.add(&slow);
        assert_eq!(fast.count(), 1000);
        assert!(fast.at_per_mille(990) < Duration::from_micros(1017));
        assert_eq!(fast.at_per_mille(991), Duration::from_secs(2));
        assert_eq!(fast.max(), Duration::from_secs(2));
    }

    #[test]
    fn an_empty_histogram_reads_zero_and_an_hour_does_not_overflow() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.at_per_mille(990), Duration::ZERO);
        histogram.record(Duration::from_secs(3600));
        assert_eq!(histogram.count(), 1);
        assert_eq!(histogram.max(), Duration::from_secs(3600));
    }
}
