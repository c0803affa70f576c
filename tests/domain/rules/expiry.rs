//! Can a grant be spent from its start until just before its end, whatever events there are?

use chrono::TimeDelta;
use domain::{command::Excess, credits::GrantTerms, refusal::Refusal};

use crate::builders::{
    scenario::given,
    words::{bonus, commit, day, deduct, expired, granted, granted_as, granted_forever, hold_for, opened},
};

#[test]
fn a_grant_is_spent_up_to_its_last_microsecond() {
    let last = day(1).minus(TimeDelta::microseconds(1));
    given([opened(), granted("a", 10, day(1))])
        .at(last)
        .then_available(10)
        .when(deduct(1))
        .then_accepted()
        .at(day(1))
        .then_available(0);
}

#[test]
fn a_grant_is_not_spent_before_its_start() {
    let later = granted_as(GrantTerms { starts_at: day(2), ..bonus("later", 10) });
    given([opened(), later])
        .at(day(2).minus(TimeDelta::microseconds(1)))
        .then_available(0)
        .at(day(2))
        .then_available(10)
        .when(deduct(10))
        .then_accepted();
}

#[test]
fn the_balance_is_right_with_no_job_and_no_event() {
    let scenario = given([opened(), granted("a", 10, day(1)), granted_forever("b", 7)]).at(day(5));
    assert_eq!(scenario.history.len(), 3);
    scenario.then_balance(7, 0, 0);
}

#[test]
fn an_expiry_is_recorded_once_with_its_own_time() {
    given([opened(), granted("a", 10, day(1)), granted("b", 10, day(2))])
        .at(day(9))
        .settle()
        .then([expired("a", 10, day(1)), expired("b", 10, day(2))])
        .settle()
        .then_nothing();
}

#[test]
fn what_was_held_before_the_end_may_be_committed_after_it() {
    given([opened(), granted("a", 10, day(1))])
        .at(day(1).minus(TimeDelta::minutes(5)))
        .when(hold_for(10, 600))
        .at(day(1))
        .then_balance(0, 10, 0)
        .when(commit("hold_3", Some(6), Excess::Reject))
        .then_named(["HoldCommitted", "CreditsExpired"])
        .then_balance(0, 0, 0)
        .then_grant("a", 10, 0);
}

#[test]
fn a_hold_that_ended_counts_no_more_before_its_end_is_noted() {
    given([opened(), granted("a", 10, day(1)), granted_forever("b", 10)])
        .when(hold_for(15, 600))
        .then_balance(5, 15, 0)
        .after(TimeDelta::seconds(600))
        .then_balance(20, 0, 0)
        .settle()
        .then_named(["HoldExpired"])
        .then_balance(20, 0, 0);
}

#[test]
fn a_hold_that_ends_after_its_grant_returns_what_has_expired() {
    given([opened(), granted("a", 10, day(1))])
        .at(day(1).minus(TimeDelta::minutes(5)))
        .when(hold_for(10, 600))
        .at(day(2))
        .then_balance(0, 0, 0)
        .settle()
        .then_named(["HoldExpired", "CreditsExpired"])
        .then_grant("a", 10, 0);
}

#[test]
fn a_grant_that_has_ended_already_is_refused() {
    given([opened()])
        .at(day(3))
        .when(crate::builders::words::grant("late", 5, Some(day(3))))
        .then_refused(Refusal::GrantHasEnded);
}

#[test]
fn time_moves_through_everything_in_its_own_order() {
    let scenario = given([opened(), granted("a", 10, day(2)), granted("b", 10, day(1))])
        .at(day(2).minus(TimeDelta::seconds(60)))
        .when(hold_for(10, 30));
    scenario
        .at(day(3))
        .settle()
        .then_named(["HoldExpired", "CreditsExpired"])
        .then_grant("a", 10, 0)
        .then_grant("b", 10, 0);
}
