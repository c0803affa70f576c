//! Is each hold opened once, and ended once: committed, released or expired?

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    command::{Command, CreditsCommand, Excess, Generation, HoldFor},
    credits::HoldOutcome,
    event::{Event, HoldEvent, Purpose},
    ids::GenerationId,
    refusal::Refusal,
};

use crate::builders::{
    catalog::credits,
    scenario::{Scenario, given},
    words::{
        commit, day, deduct, draw, extend, generation, granted, granted_forever, hold, hold_for, opened,
        release,
    },
};

/// Two grants of 10, of which a hold of 15 took the first whole and half of the second: `hold_4`.
fn held() -> Scenario {
    given([opened(), granted("a", 10, day(1)), granted("b", 10, day(2))]).when(hold_for(15, 3600))
}

#[test]
fn a_hold_lowers_what_is_available_at_once() {
    held().then_named(["CreditsHeld"]).then_balance(5, 15, 0).then_grant("a", 10, 0).then_grant("b", 10, 5);
}

#[test]
fn a_hold_lives_for_a_quarter_of_an_hour_unless_it_says_otherwise() {
    let scenario = given([opened(), granted_forever("a", 10)]).when(hold(1));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::CreditsHeld { expires_at, .. })]) => {
            assert_eq!(*expires_at, day(0).plus(TimeDelta::minutes(15)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn committing_all_of_it_spends_it() {
    held().when(commit("hold_4", None, Excess::Reject)).then_named(["HoldCommitted"]).then_balance(5, 0, 0);
}

#[test]
fn committing_less_returns_the_rest_to_the_same_grants() {
    let scenario = held().when(commit("hold_4", Some(4), Excess::Reject));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldCommitted { amount, draws, returns, shortfall, .. })]) => {
            assert_eq!((amount.get(), shortfall.get()), (4, 0));
            assert_eq!(draws, &[draw("a", 4)]);
            assert_eq!(returns, &[draw("a", 6), draw("b", 5)]);
        }
        other => panic!("{other:?}"),
    }
    scenario.then_grant("a", 10, 6).then_grant("b", 10, 10).then_balance(16, 0, 0);
}

#[test]
fn committing_nothing_returns_everything() {
    held().when(commit("hold_4", Some(0), Excess::Reject)).then_balance(20, 0, 0);
}

#[test]
fn committing_more_is_refused_and_the_hold_stays_open() {
    held()
        .when(commit("hold_4", Some(16), Excess::Reject))
        .then_refused(Refusal::CommitExceedsHold { held: credits(15), requested: credits(16) })
        .then_balance(5, 15, 0)
        .when(release("hold_4"))
        .then_balance(20, 0, 0);
}

#[test]
fn committing_more_can_be_capped_and_reports_the_shortfall() {
    let scenario = held().when(commit("hold_4", Some(18), Excess::Cap));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldCommitted { amount, shortfall, returns, .. })]) => {
            assert_eq!((amount.get(), shortfall.get()), (15, 3));
            assert!(returns.is_empty());
        }
        other => panic!("{other:?}"),
    }
    scenario.then_balance(5, 0, 0);
}

#[test]
fn committing_more_can_take_the_difference() {
    held()
        .when(commit("hold_4", Some(18), Excess::Take))
        .then_named(["HoldCommitted", "CreditsDeducted"])
        .then_balance(2, 0, 0);
}

#[test]
fn a_difference_that_is_not_there_leaves_the_hold_open() {
    let scenario = held().when(commit("hold_4", Some(21), Excess::Take));
    assert!(
        matches!(scenario.refusal(), Refusal::InsufficientCredits { requested, .. } if requested.get() == 6)
    );
    scenario.then_balance(5, 15, 0);
}

#[test]
fn a_hold_ends_exactly_once() {
    let resolved = |outcome| Refusal::HoldAlreadyResolved { outcome };
    let committed = resolved(HoldOutcome::Committed { amount: credits(4) });
    held()
        .when(commit("hold_4", Some(4), Excess::Reject))
        .when(commit("hold_4", Some(4), Excess::Reject))
        .then_refused(committed.clone())
        .when(release("hold_4"))
        .then_refused(committed.clone())
        .when(extend("hold_4", 60))
        .then_refused(committed);
    held().when(release("hold_4")).when(release("hold_4")).then_refused(resolved(HoldOutcome::Released));
}

#[test]
fn a_hold_expires_by_the_clock_and_cannot_be_committed_then() {
    held()
        .after(TimeDelta::seconds(3600))
        .when(commit("hold_4", None, Excess::Reject))
        .then_refused(Refusal::HoldAlreadyResolved { outcome: HoldOutcome::Expired });
}

#[test]
fn a_hold_that_expired_returns_to_the_same_grants() {
    let scenario = held().after(TimeDelta::seconds(3600)).settle();
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldExpired { returns, effective_at, .. })]) => {
            assert_eq!(returns, &[draw("a", 10), draw("b", 5)]);
            assert_eq!(*effective_at, day(0).plus(TimeDelta::seconds(3600)));
        }
        other => panic!("{other:?}"),
    }
    scenario.then_balance(20, 0, 0);
}

/// So that all that happened to a generation is found by its id.
#[test]
fn the_end_of_a_hold_says_what_was_held_for() {
    let generation = Generation { id: GenerationId::parse("gen_1").ok(), ..generation("standard", &[]) };
    let what = HoldFor::Generation(generation.clone());
    let command = Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None });
    let held = given([opened(), granted_forever("a", 10)]).when(command);
    let expected =
        Some(Purpose::Generation { id: generation.id, kind: generation.kind, options: BTreeMap::new() });
    for ended in [held.clone().when(release("hold_3")), held.after(TimeDelta::minutes(15)).settle()] {
        match ended.outcome().as_deref() {
            Ok(
                [
                    Event::Hold(
                        HoldEvent::HoldReleased { purpose, .. } | HoldEvent::HoldExpired { purpose, .. },
                    ),
                ],
            ) => assert_eq!(*purpose, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_hold_is_extended_from_now_up_to_a_day_after_it_was_opened() {
    let too_long = Refusal::HoldTooLong { expires_in_s_max: 86_400 };
    held()
        .after(TimeDelta::seconds(3599))
        .when(extend("hold_4", 86_400 - 3599))
        .then_named(["HoldExtended"])
        .when(extend("hold_4", 86_400 - 3598))
        .then_refused(too_long.clone())
        .when(extend("hold_4", 0))
        .then_refused(too_long)
        .at(day(1).minus(TimeDelta::microseconds(1)))
        .then_balance(5, 15, 0)
        .at(day(1))
        .settle()
        .then_named(["HoldExpired", "CreditsExpired"]);
}

#[test]
fn a_hold_cannot_be_opened_for_longer_than_a_day() {
    let too_long = Refusal::HoldTooLong { expires_in_s_max: 86_400 };
    given([opened(), granted_forever("a", 10)])
        .when(hold_for(1, 86_401))
        .then_refused(too_long.clone())
        .when(hold_for(1, 0))
        .then_refused(too_long)
        .when(hold_for(1, 86_400))
        .then_accepted();
}

#[test]
fn a_hold_that_nobody_opened_is_not_found() {
    held().when(release("hold_9")).then_refused(Refusal::HoldNotFound);
}

#[test]
fn more_cannot_be_held_than_there_is() {
    let scenario = held().when(hold(6));
    assert!(matches!(scenario.refusal(), Refusal::InsufficientCredits { held, .. } if held.get() == 15));
    scenario.when(deduct(5)).then_accepted().then_balance(0, 15, 0);
}

#[test]
fn a_held_generation_has_the_catalogs_price() {
    let what = HoldFor::Generation(generation("standard", &[("quality", "high")]));
    given([opened(), granted_forever("a", 10)])
        .when(Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None }))
        .then_balance(2, 8, 0);
}

#[test]
fn only_the_newest_outcomes_are_remembered() {
    let mut scenario = given([opened(), granted_forever("a", 10)]);
    let mut first = None;
    for _ in 0..=domain::credits::HOLDS_RESOLVED_MAX {
        scenario = scenario.when(hold(1));
        let opened = scenario.open().wallet.holds.open().next().map(|hold| hold.hold_id.clone());
        let hold_id = opened.expect("the hold is open");
        first = first.or(Some(hold_id.clone()));
        scenario = scenario.when(Command::Credits(CreditsCommand::ReleaseHold { hold_id, amount: None }));
    }
    let hold_id = first.expect("there was a first hold");
    scenario
        .when(Command::Credits(CreditsCommand::ReleaseHold { hold_id, amount: None }))
        .then_refused(Refusal::HoldNotFound);
}
