//! Can a hold be spent in parts, topped up and returned in parts, and is nothing lost or counted twice?

use chrono::TimeDelta;
use domain::{
    catalog::{Measure, WindowKind},
    command::{Command, CreditsCommand, Excess, Generation, HoldFor, RecordedDeduction, Spent},
    credits::{DeductionRefunds, HoldOutcome},
    event::{Event, HoldEvent, Purpose},
    ids::{DeductionId, GenerationId},
    refusal::Refusal,
    time::{CalendarUnit, Timestamp},
};

use crate::builders::{
    catalog::{credits, free_nothing, limit, limited},
    scenario::{Scenario, given, opened_under},
    words::{
        buy, commit, day, deduct, draw, extend, generate, generation, grant, granted, granted_forever, hold,
        hold_for, hours, opened, reduce, refund, refund_payment, release, spend, spend_on, top_up,
    },
};

/// Two grants of 10, of which a hold of 15 took the first whole and half of the second: `hold_4`.
fn held() -> Scenario {
    given([opened(), granted("a", 10, day(1)), granted("b", 10, day(2))]).when(hold_for(15, 3600))
}

fn beyond(left: i64, requested: i64) -> Refusal {
    Refusal::AmountExceedsHold { left: credits(left), requested: credits(requested) }
}

/// The free plan with this limit of 10.
fn ten(measure: Measure) -> Scenario {
    let catalog = limited("free", vec![limit(measure, CalendarUnit::Day, WindowKind::Calendar, 10)]);
    given([opened(), granted_forever("a", 1_000)]).under(catalog)
}

fn hold_generation(id: &str) -> Command {
    let what =
        HoldFor::Generation(Generation { id: GenerationId::parse(id).ok(), ..generation("standard", &[]) });
    Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None })
}

#[track_caller]
fn is_limited(scenario: Scenario) -> Scenario {
    assert!(matches!(scenario.refusal(), Refusal::LimitReached { .. }), "{:?}", scenario.outcome());
    scenario
}

#[test]
fn a_part_is_spent_in_the_holds_order_and_the_rest_stays_held() {
    let scenario = held().when(spend("hold_4", 4)).then_named(["HoldSpent"]).then_balance(5, 11, 0);
    let scenario = scenario.when(spend_on("hold_4", 8, Some("gen_7")));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldSpent { deduction_id, amount, draws, left, purpose, .. })]) => {
            assert_eq!((deduction_id.as_str(), amount.get(), left.get()), ("ded_6", 8, 3));
            assert_eq!(draws, &[draw("a", 6), draw("b", 2)]);
            assert_eq!(purpose.generation_id().map(GenerationId::as_str), Some("gen_7"));
        }
        other => panic!("{other:?}"),
    }
    scenario.then_balance(5, 3, 0).then_grant("a", 10, 0).then_grant("b", 10, 5);
}

#[test]
fn more_than_is_left_is_refused_and_nothing_changes() {
    held()
        .when(spend("hold_4", 16))
        .then_refused(beyond(15, 16))
        .when(spend("hold_4", 10))
        .when(spend("hold_4", 6))
        .then_refused(beyond(5, 6))
        .when(reduce("hold_4", i64::MAX))
        .then_refused(beyond(5, i64::MAX))
        .then_balance(5, 5, 0);
}

#[test]
fn a_hold_with_nothing_left_stays_open_and_can_be_topped_up() {
    held()
        .when(spend("hold_4", 15))
        .then_balance(5, 0, 0)
        .when(spend("hold_4", 1))
        .then_refused(beyond(0, 1))
        .when(top_up("hold_4", 3, None))
        .then_named(["HoldToppedUp"])
        .then_balance(2, 3, 0)
        .when(spend("hold_4", 3))
        .then_balance(2, 0, 0)
        .when(release("hold_4"))
        .then_named(["HoldReleased"])
        .then_balance(2, 0, 0);
}

#[test]
fn a_commit_after_parts_spends_what_is_left_and_no_more() {
    let spent = held().when(spend("hold_4", 9));
    let all = spent.clone().when(commit("hold_4", None, Excess::Reject));
    match all.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldCommitted { amount, draws, returns, .. })]) => {
            assert_eq!(amount.get(), 6);
            assert_eq!((draws.as_slice(), returns.as_slice()), (&[draw("a", 1), draw("b", 5)][..], &[][..]));
        }
        other => panic!("{other:?}"),
    }
    all.then_balance(5, 0, 0);
    let less = spent.clone().when(commit("hold_4", Some(2), Excess::Reject));
    less.then_balance(9, 0, 0).then_grant("a", 10, 0).then_grant("b", 10, 9);
    spent
        .when(commit("hold_4", Some(7), Excess::Reject))
        .then_refused(Refusal::CommitExceedsHold { held: credits(6), requested: credits(7) })
        .when(commit("hold_4", Some(8), Excess::Take))
        .then_named(["HoldCommitted", "CreditsDeducted"])
        .then_balance(3, 0, 0);
}

#[test]
fn release_and_expiry_return_only_what_is_left() {
    let spent = held().when(spend("hold_4", 9));
    spent.clone().when(release("hold_4")).then_balance(11, 0, 0).then_grant("a", 10, 1);
    spent
        .after(TimeDelta::seconds(3600))
        .then_balance(11, 0, 0)
        .settle()
        .then_named(["HoldExpired"])
        .then_balance(11, 0, 0)
        .when(spend("hold_4", 1))
        .then_refused(Refusal::HoldAlreadyResolved { outcome: HoldOutcome::Expired });
}

#[test]
fn an_ended_or_unknown_hold_has_no_parts() {
    let resolved = Refusal::HoldAlreadyResolved { outcome: HoldOutcome::Released };
    let ended = held().when(release("hold_4"));
    for command in [spend("hold_4", 1), top_up("hold_4", 1, None), reduce("hold_4", 1)] {
        ended.clone().when(command).then_refused(resolved.clone());
    }
    for command in [spend("hold_9", 1), top_up("hold_9", 1, None), reduce("hold_9", 1)] {
        ended.clone().when(command).then_refused(Refusal::HoldNotFound);
    }
}

#[test]
fn a_top_up_is_held_in_the_spending_order_and_spent_after_what_was_held_before() {
    let scenario = held().when(top_up("hold_4", 2, Some(7200)));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldToppedUp { amount, draws, left, expires_at, .. })]) => {
            assert_eq!((amount.get(), left.get()), (2, 17));
            assert_eq!(draws, &[draw("b", 2)]);
            assert_eq!(*expires_at, day(0).plus(TimeDelta::seconds(7200)));
        }
        other => panic!("{other:?}"),
    }
    let scenario = scenario.then_balance(3, 17, 0).when(top_up("hold_4", 4, None));
    assert!(
        matches!(scenario.refusal(), Refusal::InsufficientCredits { available, .. } if available.get() == 3)
    );
    // The credits of a grant that came later are the last of the hold.
    let scenario = scenario.when(grant("c", 5, Some(day(1)))).when(top_up("hold_4", 4, None));
    let hold = scenario.open().wallet.holds.open().next().expect("it is open");
    assert_eq!(hold.draws, [draw("a", 10), draw("b", 7), draw("c", 4)]);
    assert_eq!((hold.amount.get(), hold.left().get()), (21, 21));
    assert_eq!(hold.expires_at, day(0).plus(TimeDelta::seconds(7200)), "no end was named");
}

#[test]
fn a_topped_up_hold_lives_for_a_day_in_all() {
    let too_long = Refusal::HoldTooLong { expires_in_s_max: 86_400 };
    held()
        .after(TimeDelta::seconds(3_000))
        .when(top_up("hold_4", 1, Some(86_400 - 2_999)))
        .then_refused(too_long.clone())
        .when(top_up("hold_4", 1, Some(0)))
        .then_refused(too_long)
        .then_balance(5, 15, 0)
        .when(top_up("hold_4", 1, Some(86_400 - 3_000)))
        .then_balance(4, 16, 0)
        .when(extend("hold_4", 60))
        .then_accepted();
}

#[test]
fn a_part_that_is_returned_is_what_would_be_spent_last() {
    let scenario = held().when(spend("hold_4", 4)).when(reduce("hold_4", 7));
    match scenario.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldReduced { amount, returns, left, .. })]) => {
            assert_eq!((amount.get(), left.get()), (7, 4));
            assert_eq!(returns, &[draw("a", 2), draw("b", 5)]);
        }
        other => panic!("{other:?}"),
    }
    let scenario = scenario.then_balance(12, 4, 0).when(reduce("hold_4", 4)).then_balance(16, 0, 0);
    let hold = scenario.open().wallet.holds.open().next().expect("returning a part does not end it");
    assert_eq!((hold.amount.get(), hold.spent.get(), hold.returned.get(), hold.left().get()), (15, 4, 11, 0));
}

#[test]
fn what_was_held_before_the_end_of_its_grant_may_be_spent_in_parts_after_it() {
    given([opened(), granted("a", 10, day(1))])
        .at(day(1).minus(TimeDelta::minutes(5)))
        .when(hold_for(10, 600))
        .at(day(1))
        .when(spend("hold_3", 4))
        .then_named(["HoldSpent"])
        .then_balance(0, 6, 0)
        .when(reduce("hold_3", 1))
        .then_named(["HoldReduced", "CreditsExpired"])
        .when(release("hold_3"))
        .then_named(["HoldReleased", "CreditsExpired"])
        .then_balance(0, 0, 0);
}

#[test]
fn a_part_is_refunded_as_a_deduction_is() {
    let spent = held().when(spend("hold_4", 12)).when(release("hold_4")).then_balance(8, 0, 0);
    let spent = spent.refund("ded_5", Some(5)).then_grant("a", 10, 3).then_grant("b", 10, 10);
    let spent = spent.refund("ded_5", None).then_balance(20, 0, 0).refund("ded_5", Some(1));
    assert!(matches!(spent.refusal(), Refusal::RefundExceedsDeduction { .. }), "{:?}", spent.outcome());
    // Its hold may be open still.
    held().when(spend("hold_4", 12)).refund("ded_5", None).then_balance(17, 3, 0);
}

#[test]
fn a_part_counts_where_it_was_held_and_only_what_is_returned_counts_no_more() {
    let scenario = ten(Measure::Credits)
        .when(hold(4))
        .when(top_up("hold_3", 4, None))
        .then_accepted()
        .when(top_up("hold_3", 4, None));
    let scenario = is_limited(scenario).when(spend("hold_3", 3)).then_accepted().when(deduct(3));
    let scenario = is_limited(scenario).when(reduce("hold_3", 2)).when(deduct(4)).then_accepted();
    let scenario = is_limited(scenario.when(deduct(1))).when(release("hold_3")).then_accepted();
    is_limited(scenario.when(deduct(4))).when(deduct(3)).then_accepted();
}

/// So many seconds after a day of the catalog begins, which is at 22:00 in UTC.
fn midnight(seconds: i64) -> Timestamp {
    day(1).minus(hours(2)).plus(TimeDelta::seconds(seconds))
}

/// With a limit of ten a day, so many credits are held a minute before the day ends: `hold_3`.
fn held_late(amount: i64) -> Scenario {
    ten(Measure::Credits).at(midnight(-60)).when(hold(amount)).then_accepted()
}

#[test]
fn what_was_added_on_another_day_counts_on_that_day() {
    let scenario = held_late(6).at(midnight(60)).when(top_up("hold_3", 8, None)).then_accepted();
    let scenario = is_limited(scenario.when(deduct(3)));
    // The oldest are spent first, so what is returned or committed is of today.
    let scenario = scenario.when(spend("hold_3", 7)).when(reduce("hold_3", 2)).then_accepted();
    let scenario = is_limited(scenario.when(deduct(5))).when(deduct(4)).then_accepted();
    let scenario = scenario.when(commit("hold_3", Some(1), Excess::Reject)).then_accepted();
    is_limited(scenario.when(deduct(5))).when(deduct(4)).then_accepted();
}

/// A part can have been held on several days. What comes back of it leaves the newest of them first, each once.
#[test]
fn what_comes_back_of_a_part_leaves_the_days_that_it_counted_on() {
    let scenario =
        held_late(6).at(midnight(60)).when(top_up("hold_3", 4, None)).when(deduct(6)).then_accepted();
    let spent = is_limited(scenario.when(deduct(1))).when(spend("hold_3", 10)).then_named(["HoldSpent"]);
    let id = match spent.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldSpent { deduction_id, .. })]) => deduction_id.to_string(),
        other => panic!("{other:?}"),
    };
    let refunded = spent.refund(&id, Some(3)).then_accepted();
    let scenario = is_limited(refunded.when(deduct(4))).when(deduct(3)).then_accepted();
    // One of the next three was of today, the others of yesterday.
    let refunded = scenario.refund(&id, Some(3)).then_accepted();
    let scenario = is_limited(refunded.when(deduct(2))).when(deduct(1)).then_accepted();
    is_limited(scenario.refund(&id, None).then_accepted().when(deduct(1)));
}

#[test]
fn one_refund_includes_at_most_a_hundred_deductions() {
    let spent = given([opened(), granted_forever("a", 1_000)]).when(deduct(1)).then_accepted();
    let refund_of = |deductions: usize| {
        Command::Credits(CreditsCommand::RefundDeductions {
            of: Spent::Generation(GenerationId::parse("gen_1").expect("it is an identifier")),
            deductions: vec![spent.deduction("ded_3"); deductions],
            amount: Some(credits(1)),
            reason: "failed".to_owned(),
        })
    };
    spent.clone().when(refund_of(100)).then_accepted();
    let refused = spent.clone().when(refund_of(101));
    assert_eq!(*refused.refusal(), Refusal::TooManyDeductions { deductions_max: 100 });
}

#[test]
fn a_generation_counts_once_whatever_becomes_of_its_parts() {
    let catalog = || vec![limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 1)];
    let held = given([opened(), granted_forever("a", 1_000)])
        .under(limited("free", catalog()))
        .when(hold_generation("gen_1"));
    let spent = held.clone().when(spend("hold_3", 1)).when(top_up("hold_3", 9, None)).then_accepted();
    let released = is_limited(spent.clone().when(release("hold_3")).when(generate("standard")));
    // Other parts of it may have been spent, so a part that comes back does not give the generation back.
    is_limited(released.refund("ded_4", None).when(generate("standard")));
    let committed = spent.when(commit("hold_3", None, Excess::Reject)).then_accepted();
    let rest = match committed.outcome().as_deref() {
        Ok([Event::Hold(HoldEvent::HoldCommitted { amount, draws, purpose, windows, .. })]) => {
            RecordedDeduction {
                deduction_id: DeductionId::parse("hold_3").expect("it is an identifier"),
                amount: *amount,
                draws: draws.clone(),
                purpose: purpose.clone(),
                windows: windows.clone().expect("it says where it counts"),
                refunded: DeductionRefunds::default(),
                refunded_until: 0,
            }
        }
        other => panic!("{other:?}"),
    };
    let committed = is_limited(committed.when(refund(rest, None, "failed")).when(generate("standard")));
    is_limited(committed.refund("ded_4", None).when(generate("standard")));
    held.when(reduce("hold_3", 2)).when(release("hold_3")).when(generate("standard")).then_accepted();
}

#[test]
fn a_part_is_of_the_holds_generation_unless_it_names_its_own() {
    let held = given([opened(), granted_forever("a", 100)]).when(hold_generation("gen_1"));
    for (own, expected) in [(None, "gen_1"), (Some("gen_2"), "gen_2")] {
        let scenario = held.clone().when(spend_on("hold_3", 1, own));
        match scenario.outcome().as_deref() {
            Ok(
                [
                    Event::Hold(HoldEvent::HoldSpent {
                        purpose: Purpose::Generation { id, kind, .. }, ..
                    }),
                ],
            ) => {
                assert_eq!(
                    (id.as_ref().map(GenerationId::as_str), kind.as_str()),
                    (Some(expected), "standard")
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn money_that_goes_back_takes_what_is_held_and_what_was_spent_of_it() {
    let scenario = opened_under(free_nothing())
        .when(buy("pi_1", "pack_500", 1, day(0)))
        .when(hold(500))
        .when(spend(&hold_of(500), 200))
        .when(refund_payment("pi_1", 600, 600, day(0)))
        .then_balance(0, 300, 500);
    // What is still held is owed until it comes back; what is spent of it stays owed.
    scenario
        .when(spend(&hold_of(500), 50))
        .then_balance(0, 250, 500)
        .when(reduce(&hold_of(500), 100))
        .then_balance(0, 150, 400)
        .after(TimeDelta::minutes(15))
        .settle()
        .then_balance(0, 0, 250);
}

/// The id of the hold of so many credits, in the history that begins with a pack of as many.
fn hold_of(amount: i64) -> String {
    let scenario = opened_under(free_nothing()).when(buy("pi_1", "pack_500", 1, day(0))).when(hold(amount));
    let held = scenario.open().wallet.holds.open().next().expect("it is open");
    held.hold_id.to_string()
}

/// Whoever spends in parts a thousand times costs no more than whoever spends twice.
#[test]
fn an_account_does_not_grow_with_the_parts_of_a_hold() {
    let start = given([opened(), granted_forever("a", 1_000_000)]).when(hold(100_000));
    let size = |scenario: &Scenario| serde_json::to_vec(&scenario.account).expect("it can be stored").len();
    let spent = |times: usize| {
        (0..times).fold(start.clone(), |scenario, _| {
            scenario.when(spend("hold_3", 10)).when(top_up("hold_3", 10, None)).when(reduce("hold_3", 1))
        })
    };
    let (few, many) = (size(&spent(2)), size(&spent(1_000)));
    assert!(many < few + 32, "{few} bytes became {many}");
}
