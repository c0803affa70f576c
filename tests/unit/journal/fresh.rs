//! Do readers get from memory exactly what was appended, in order and without gaps, or nothing?

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    FeedEntry,
    fresh::{FRESH_EVENTS_MAX, FreshEvents, StoredCommand, of_each},
};
use crate::domain::{
    credits::Balance,
    event::{AccountEvent, Event},
    ids::{AccountId, Actor, PlanId},
    recorded::{EventMetadata, Origin, Position, RecordedEvent, RequestHash, Shard},
    time::Timestamp,
};

fn event(position: i64) -> RecordedEvent {
    let at = Timestamp::MIN;
    RecordedEvent {
        shard: Shard(0),
        position: Position(position),
        account: AccountId::parse("acme").expect("an id"),
        sequence: position,
        recorded_at: at,
        event: Event::Account(AccountEvent::AccountOpened {
            plan: PlanId::parse("free").expect("an id"),
            moved_in: None,
            effective_at: at,
        }),
        metadata: EventMetadata {
            command: None,
            events: 1,
            request_hash: RequestHash::default(),
            actor: Actor::parse("test").expect("an actor"),
            origin: Origin::Api,
            catalog: "catalog".into(),
            balance: Balance::default(),
            balance_then: None,
            correlation_id: None,
            causation_id: None,
            stripe_event: None,
        },
    }
}

fn command(first: i64, length: i64) -> StoredCommand {
    Arc::new((first..first + length).map(event).collect())
}

/// The positions after one and up to another.
fn positions(fresh: &FreshEvents, after: i64, to: i64) -> Option<Vec<i64>> {
    let entries = fresh.after(Position(after), to)?;
    Some(entries.iter().map(|entry| entry.position().0).collect())
}

proptest! {
    /// Commands of one to three events; before some of them, others have appended.
    #[test]
    fn readers_get_what_follows_without_gaps_or_nothing(
        steps in prop::collection::vec((1_i64..4, prop::option::weighted(0.2, 1_i64..9)), 1..40),
        read in 0_i64..60,
        after in 0_i64..120,
        length in 0_i64..60,
    ) {
        let mut fresh = FreshEvents::default();
        let (mut last, mut from) = (0, 1);
        for (events, gap) in steps {
            if let Some(gap) = gap {
                last += gap;
                from = last + 1;
            }
            fresh.put(std::iter::once(command(last + 1, events)), FRESH_EVENTS_MAX);
            last += events;
        }
        fresh.forget(Position(read));
        // Only whole commands are forgotten.
        let is_there = from <= after + 1 && after < last;
        if is_there && after < read && positions(&fresh, after, after + length).is_none() {
            return Ok(());
        }
        let expected = is_there
            .then(|| (after + 1..=last.min(after + length)).collect::<Vec<_>>());
        prop_assert_eq!(positions(&fresh, after, after + length), expected);
    }
}

#[test]
fn what_all_have_read_is_forgotten() {
    let mut fresh = FreshEvents::default();
    fresh.put([command(1, 2), command(3, 2), command(5, 1)].into_iter(), FRESH_EVENTS_MAX);
    fresh.forget(Position(3));
    assert_eq!(positions(&fresh, 1, 9), None);
    assert_eq!(positions(&fresh, 3, 9), Some(vec![4, 5]), "the command is not over");
    fresh.forget(Position(5));
    assert_eq!(positions(&fresh, 4, 9), None);
    fresh.put(std::iter::once(command(6, 1)), FRESH_EVENTS_MAX);
    assert_eq!(positions(&fresh, 5, 9), Some(vec![6]));
}

#[test]
fn only_the_last_events_are_kept() {
    let mut fresh = FreshEvents::default();
    let most = 1_000;
    fresh.put((0..=most / 2).map(|number| command(number * 2 + 1, 2)), 1_000);
    assert_eq!(positions(&fresh, 1, 5), None, "the first are forgotten");
    assert_eq!(positions(&fresh, 2, 5), Some(vec![3, 4, 5]));
    assert_eq!(positions(&fresh, most + 2, most + 9), None, "there is no later one");
}

#[test]
fn many_shards_keep_little_more_than_one() {
    assert_eq!([1, 2, 8, 12, 1_024].map(of_each), [60_000, 30_000, 7_500, 5_000, 5_000]);
    assert!(size_of::<FeedEntry>() <= 24, "an entry points to its event");
}
