//! Do refunds of deductions go back to the grants that paid, the last one first, and never exceed the deduction?

use chrono::TimeDelta;
use domain::{
    catalog::{Measure, WindowKind},
    command::{Command, CreditsCommand, PARTIAL_REFUNDS_MAX, RecordedDeduction, Spent},
    credits::REMEMBERED_REFUNDS_MAX,
    event::{CreditsEvent, Event},
    ids::{DeductionId, GenerationId},
    refusal::Refusal,
    time::CalendarUnit,
};

use crate::builders::{
    catalog::{credits, limit, limited},
    scenario::{Scenario, given},
    words::{day, deduct, draw, generate, granted, granted_forever, hours, opened, refund},
};

/// 25 credits spent out of two grants of 20: `ded_4`.
fn spent() -> Scenario {
    given([opened(), granted("a", 20, day(1)), granted("b", 20, day(9))]).when(deduct(25))
}

#[test]
fn a_refund_returns_in_the_reverse_order_of_spending() {
    let scenario = spent().refund("ded_4", Some(7));
    match scenario.outcome().as_deref() {
        Ok([Event::Credits(CreditsEvent::CreditsRefunded { returns, reissued, .. })]) => {
            assert_eq!(returns, &[draw("b", 5), draw("a", 2)]);
            assert!(reissued.is_empty());
        }
        other => panic!("{other:?}"),
    }
    scenario.then_grant("b", 20, 20).then_grant("a", 20, 2).then_available(22);
}

#[test]
fn a_refund_without_an_amount_is_of_all_that_is_left() {
    spent().refund("ded_4", None).then_available(40);
    spent().refund("ded_4", Some(7)).refund("ded_4", None).then_available(40);
}

#[test]
fn a_refund_is_decided_the_same_whenever_its_deduction_was_read() {
    let scenario = spent().refund("ded_4", Some(7)).when(deduct(3)).refund("ded_4", Some(4));
    for events in 4..=scenario.history.len() {
        let deduction = scenario.deduction_read_at("ded_4", events);
        let all = scenario.clone().when(refund(deduction, None, "failed"));
        assert_eq!(all.outcome(), scenario.clone().refund("ded_4", None).outcome());
        all.then_accepted();
    }
}

#[test]
fn what_an_account_has_forgotten_has_to_be_read() {
    let mut scenario =
        given([opened(), granted_forever("a", 1_000)]).when(deduct(300)).refund("ded_3", Some(1));
    let read =
        |scenario: &Scenario, events| refund(scenario.deduction_read_at("ded_3", events), None, "failed");
    let state = |scenario: &Scenario| serde_json::to_string(&scenario.account).expect("it is written").len();
    let mut sizes = Vec::new();
    for number in 0..2 * REMEMBERED_REFUNDS_MAX {
        let events = scenario.history.len();
        scenario = scenario.when(deduct(1)).then_accepted();
        let spent = scenario.history.last().and_then(RecordedDeduction::of).expect("a deduction");
        let spent = RecordedDeduction { refunded_until: events as u64 + 1, ..spent };
        scenario = scenario.when(refund(spent, None, "failed")).then_accepted();
        if number % 256 != 0 && number.abs_diff(REMEMBERED_REFUNDS_MAX) > 2 {
            continue;
        }
        // The first refund is the oldest of those that are remembered, and then the account has forgotten it.
        let late = scenario.clone().when(read(&scenario, 3));
        if number + 1 < REMEMBERED_REFUNDS_MAX {
            late.then_accepted().then_available(1_000);
        } else {
            late.then_refused(Refusal::RefundsOutdated).then_available(701);
        }
        scenario.clone().when(read(&scenario, 4 + 2 * number)).then_accepted().then_available(1_000);
        sizes.push((number, state(&scenario)));
    }
    let full: Vec<_> = sizes.iter().filter(|(number, _)| *number >= REMEMBERED_REFUNDS_MAX).collect();
    // The state grows only by a digit of each sequence and id that it remembers.
    assert!(full.iter().all(|(_, size)| *size < full[0].1 + 3 * REMEMBERED_REFUNDS_MAX), "{sizes:?}");
    let again = scenario.clone().refund("ded_3", Some(300));
    again.then_refused(Refusal::RefundExceedsDeduction {
        deducted: credits(300),
        refunded: credits(1),
        requested: credits(300),
    });
}

#[test]
fn a_deduction_has_a_hundred_refunds_of_a_part_and_one_of_the_rest() {
    let mut scenario = given([opened(), granted_forever("a", 1_000)]).when(deduct(300));
    for _ in 0..PARTIAL_REFUNDS_MAX {
        scenario = scenario.refund("ded_3", Some(1)).then_accepted();
    }
    let refused = scenario.refund("ded_3", Some(199));
    let deduction = DeductionId::parse("ded_3").expect("it is an identifier");
    let too_many = Refusal::TooManyRefunds { deduction, refunds_max: 100 };
    let rest = refused.then_refused(too_many).refund("ded_3", Some(200));
    rest.then_accepted().then_available(1_000);
}

#[test]
fn a_command_does_not_forget_what_it_decides_on() {
    let mut scenario = given([opened(), granted_forever("a", 9_000)]);
    let mut refunds = Vec::new();
    for _ in 0..=REMEMBERED_REFUNDS_MAX / 100 {
        let first = scenario.history.len() + 1;
        for _ in 0..100 {
            scenario = scenario.when(deduct(1)).then_accepted();
        }
        let deductions = (first..first + 100).map(|number| scenario.deduction(&format!("ded_{number}")));
        refunds.push(Command::Credits(CreditsCommand::RefundDeductions {
            of: Spent::Generation(GenerationId::parse("gen_1").expect("it is an identifier")),
            deductions: deductions.collect(),
            amount: None,
            reason: "failed".to_owned(),
        }));
    }
    for refund in refunds {
        scenario = scenario.when(refund).then_accepted();
    }
    scenario.then_available(9_000);
}

#[test]
fn what_is_newer_than_the_account_is_not_decided_on() {
    let scenario = spent().refund("ded_4", Some(7));
    let mut deduction = scenario.deduction("ded_4");
    deduction.refunded_until += 1;
    scenario.when(refund(deduction, None, "failed")).then_refused(Refusal::RefundsOutdated);
}

#[test]
fn refunds_together_never_exceed_the_deduction() {
    let refused = |refunded, requested| Refusal::RefundExceedsDeduction {
        deducted: credits(25),
        refunded: credits(refunded),
        requested: credits(requested),
    };
    spent()
        .refund("ded_4", Some(26))
        .then_refused(refused(0, 26))
        .refund("ded_4", Some(20))
        .refund("ded_4", Some(6))
        .then_refused(refused(20, 6))
        .refund("ded_4", Some(5))
        .then_accepted()
        .refund("ded_4", None)
        .then_refused(refused(25, 25))
        .then_available(40);
}

#[test]
fn what_comes_back_to_a_grant_that_ended_is_reissued_for_three_days() {
    let scenario = spent().at(day(2)).refund("ded_4", None);
    match scenario.outcome().as_deref() {
        Ok(
            [
                Event::Credits(CreditsEvent::CreditsRefunded {
                    returns, reissued, purpose: spent_on, ..
                }),
                Event::Credits(CreditsEvent::CreditsGranted { grant, purpose, .. }),
            ],
        ) => {
            assert_eq!(purpose.as_ref(), Some(spent_on));
            assert_eq!(returns, &[draw("b", 5)]);
            assert_eq!(reissued, &[draw("a", 20)]);
            assert_eq!(grant.amount.get(), 20);
            assert_eq!(grant.expires_at, Some(day(2).plus(hours(72))));
        }
        other => panic!("{other:?}"),
    }
    scenario
        .then_available(40)
        .at(day(5).minus(TimeDelta::microseconds(1)))
        .then_available(40)
        .at(day(5))
        .then_available(20);
}

#[test]
fn a_refunded_generation_counts_no_more_in_its_day() {
    let five = given([opened(), granted_forever("a", 100)]);
    let five = (0..5).fold(five, |scenario, _| scenario.when(generate("standard")));
    let scenario = five.when(generate("standard"));
    assert!(matches!(scenario.refusal(), Refusal::LimitReached { .. }));
    scenario.refund("ded_4", None).when(generate("standard")).then_accepted();
}

#[test]
fn a_generation_counts_until_the_last_part_of_it_is_given_back() {
    let limits = vec![limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 1)];
    let one = given([opened(), granted_forever("a", 100)]).under(limited("free", limits));
    let scenario = one.when(generate("standard")).refund("ded_3", Some(4)).when(generate("standard"));
    assert!(matches!(scenario.refusal(), Refusal::LimitReached { .. }));
    scenario.refund("ded_3", Some(1)).when(generate("standard")).then_accepted();
}

#[test]
fn refunded_credits_count_no_more_in_their_window() {
    let limits = vec![limit(Measure::Credits, CalendarUnit::Day, WindowKind::Calendar, 10)];
    let scenario = given([opened(), granted_forever("a", 100)]).under(limited("free", limits));
    let scenario = scenario.when(deduct(10)).refund("ded_3", Some(4)).when(deduct(5));
    assert!(matches!(scenario.refusal(), Refusal::LimitReached { limit, .. } if limit.remaining == 4));
    scenario.when(deduct(4)).then_accepted();
}
