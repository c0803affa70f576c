//! How long do a round trip and a commit take, and do the clocks agree?

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::finding::{DatabaseCheck, DatabaseFindings, FindingLevel, beyond, grouped, unless};

const ROUND_TRIPS: usize = 20;
const COMMITS: usize = 20;
/// About as much as one event and its indexes add to the log.
const MESSAGE_BYTES: usize = 1_000;

const ROUND_TRIP_MAX: Duration = Duration::from_millis(2);
const COMMIT_MAX: Duration = Duration::from_millis(10);
const CLOCK_ADVICE: TimeDelta = TimeDelta::seconds(1);
const CLOCK_FAULT: TimeDelta = TimeDelta::seconds(5);

const ROUND_TRIP: DatabaseCheck = DatabaseCheck {
    name: "round_trip",
    advised: Some("less than 2 ms"),
    why: "each batch of commands waits for one round trip, and each page that is read for several",
};
const COMMIT: DatabaseCheck = DatabaseCheck {
    name: "commit",
    advised: Some("less than 10 ms"),
    why: "a caller waits for one commit at least; many callers share one, since batches are committed as a whole",
};
const CLOCK: DatabaseCheck = DatabaseCheck {
    name: "clock",
    advised: Some("less than 1 s apart"),
    why: "events have the program's times, and leases the database's",
};

pub(super) async fn check(
    connection: &mut PgConnection,
    now: &(dyn Fn() -> DateTime<Utc> + Sync),
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let mut trips = Vec::with_capacity(ROUND_TRIPS);
    let mut apart = TimeDelta::MAX;
    // The first one also prepares the statement.
    for number in 0..=ROUND_TRIPS {
        let (begun, before) = (Instant::now(), now());
        let theirs: i64 =
            sqlx::query_scalar(include_str!("round_trip.sql")).fetch_one(&mut *connection).await?;
        if number > 0 {
            trips.push(begun.elapsed());
        }
        let theirs = DateTime::from_timestamp_micros(theirs).unwrap_or_default();
        // What the fastest round trip says is the most exact; the others can only say more.
        apart = apart.min(outside(theirs, before, now()));
    }
    let (median, worst) = median_and_worst(trips);
    let found = format!("{}; at worst {}", millis(median), millis(worst));
    findings.add(ROUND_TRIP, unless(median < ROUND_TRIP_MAX, FindingLevel::Advice), found);
    check_commit(connection, findings).await?;
    let found = if apart <= TimeDelta::zero() {
        "they agree".to_owned()
    } else {
        format!("they are at least {}.{:03} s apart", apart.num_seconds(), apart.num_milliseconds() % 1_000)
    };
    findings.add(CLOCK, beyond(apart, CLOCK_ADVICE, CLOCK_FAULT), found);
    Ok(())
}

/// How far a time is outside of a span.
fn outside(time: DateTime<Utc>, begin: DateTime<Utc>, end: DateTime<Utc>) -> TimeDelta {
    (begin - time).max(time - end).max(TimeDelta::zero())
}

async fn check_commit(
    connection: &mut PgConnection,
    findings: &mut DatabaseFindings,
) -> Result<(), sqlx::Error> {
    let message = "x".repeat(MESSAGE_BYTES);
    let mut commits = Vec::with_capacity(COMMITS);
    for number in 0..=COMMITS {
        let begun = Instant::now();
        let written: Result<String, _> =
            sqlx::query_scalar(include_str!("commit.sql")).bind(&message).fetch_one(&mut *connection).await;
        match written {
            Ok(_) if number == 0 => {}
            Ok(_) => commits.push(begun.elapsed()),
            // A standby writes nothing, and a server that is only compatible may not know the message.
            Err(error) => match error.as_database_error() {
                Some(refused) => {
                    findings.add(COMMIT, FindingLevel::Advice, format!("not measured: {refused}"));
                    return Ok(());
                }
                None => return Err(error),
            },
        }
    }
    let (median, worst) = median_and_worst(commits);
    let each_second = 1_000_000 / median.as_micros().max(1);
    let found = format!(
        "{}; at worst {}: {} commits a second, one after the other",
        millis(median),
        millis(worst),
        grouped(u64::try_from(each_second).unwrap_or(u64::MAX))
    );
    findings.add(COMMIT, unless(median < COMMIT_MAX, FindingLevel::Advice), found);
    Ok(())
}

fn median_and_worst(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    (median, times.last().copied().unwrap_or_default())
}

fn millis(time: Duration) -> String {
    format!("{}.{:02} ms", time.as_millis(), time.as_micros() % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_outside_of_the_round_trip_is_a_difference() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        assert_eq!(outside(at(11), at(10), at(12)), TimeDelta::zero());
        assert_eq!(outside(at(7), at(10), at(12)), TimeDelta::seconds(3));
        assert_eq!(outside(at(19), at(10), at(12)), TimeDelta::seconds(7));
    }
}
