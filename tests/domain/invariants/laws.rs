//! Which laws hold after any sequence of commands, with any times between them?

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    account::{Account, evolve},
    catalog::{Catalog, Interval},
    command::{AccountCommand, Command},
    credits::{Grant, Source},
    decide::{Context, decide, next_due},
    event::{CreditsEvent, Draw, Event, HoldEvent},
    refusal::Refusal,
    time::Period,
};
use proptest::prelude::*;

use super::{
    actions::{Step, catalogs, steps},
    order::{moved_in, outcome},
};
use crate::builders::{
    scenario::{Scenario, given, opened_under},
    words::{self, month},
};

fn play(catalog: Catalog, steps: &[Step]) -> Scenario {
    play_and(catalog, steps, |_| ())
}

/// Plays the steps, and calls `look` after each.
fn play_and(catalog: Catalog, steps: &[Step], look: impl FnMut(&mut Scenario)) -> Scenario {
    play_from(opened_under(catalog), steps, look)
}

fn play_from(start: Scenario, steps: &[Step], mut look: impl FnMut(&mut Scenario)) -> Scenario {
    let mut scenario = start;
    for (number, step) in steps.iter().enumerate() {
        scenario = scenario.after(TimeDelta::seconds(step.seconds));
        if let Some(command) = step.action.command(&scenario, number) {
            scenario.send(&command);
        }
        look(&mut scenario);
    }
    scenario
}

fn sum(draws: &[Draw]) -> i64 {
    draws.iter().map(|draw| draw.amount.get()).sum()
}

/// Checks that the credits of each event are the sum of its draws.
fn check_sums(event: &Event) {
    match event {
        Event::Credits(
            CreditsEvent::CreditsDeducted { amount, draws, .. }
            | CreditsEvent::CreditsAdjusted { amount, draws, .. },
        )
        | Event::Hold(HoldEvent::CreditsHeld { amount, draws, .. }) => assert_eq!(sum(draws), amount.get()),
        Event::Credits(CreditsEvent::CreditsRefunded { amount, returns, reissued, .. }) => {
            assert_eq!(sum(returns) + sum(reissued), amount.get());
        }
        Event::Hold(
            HoldEvent::HoldCommitted { amount, draws, .. }
            | HoldEvent::HoldSpent { amount, draws, .. }
            | HoldEvent::HoldToppedUp { amount, draws, .. }
            | HoldEvent::HoldReduced { amount, returns: draws, .. },
        ) => assert_eq!(sum(draws), amount.get()),
        _ => {}
    }
}

/// Checks that each hold ends at most once, that what it took is what was spent and returned, and that each part says
/// what is left.
fn check_holds(history: &[Event]) {
    let mut open = BTreeMap::new();
    for event in history {
        match event {
            Event::Hold(HoldEvent::CreditsHeld { hold_id, amount, .. }) => {
                assert_eq!(open.insert(hold_id, amount.get()), None);
            }
            Event::Hold(HoldEvent::HoldCommitted { hold_id, draws, returns, .. }) => {
                assert_eq!(open.remove(hold_id), Some(sum(draws) + sum(returns)));
            }
            Event::Hold(
                HoldEvent::HoldSpent { hold_id, draws, left, .. }
                | HoldEvent::HoldReduced { hold_id, returns: draws, left, .. },
            ) => {
                let held = open.get_mut(hold_id).expect("only an open hold is spent");
                *held -= sum(draws);
                assert_eq!(*held, left.get());
            }
            Event::Hold(HoldEvent::HoldToppedUp { hold_id, draws, left, .. }) => {
                let held = open.get_mut(hold_id).expect("only an open hold is topped up");
                *held += sum(draws);
                assert_eq!(*held, left.get());
            }
            Event::Hold(
                HoldEvent::HoldReleased { hold_id, returns, .. }
                | HoldEvent::HoldExpired { hold_id, returns, .. },
            ) => {
                assert_eq!(open.remove(hold_id), Some(sum(returns)));
            }
            _ => {}
        }
    }
}

/// Checks that all refunds of a deduction together never exceed it.
fn check_refunds(history: &[Event]) {
    let mut left = BTreeMap::new();
    for event in history {
        match event {
            Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, amount, .. })
            | Event::Hold(HoldEvent::HoldSpent { deduction_id, amount, .. }) => {
                left.insert(deduction_id, amount.get());
            }
            Event::Credits(CreditsEvent::CreditsRefunded { deduction_id, amount, .. }) => {
                let left = left.get_mut(deduction_id).expect("only a deduction is refunded");
                *left -= amount.get();
                assert!(*left >= 0, "more was refunded than deducted");
            }
            _ => {}
        }
    }
}

/// Checks that what rolls over into a month stays within the cap of its plan.
fn check_rollover(scenario: &Scenario) {
    let mut carried: BTreeMap<_, i64> = BTreeMap::new();
    let mut most = BTreeMap::new();
    for grant in scenario.grants() {
        let Some(slot) = &grant.terms.slot else { continue };
        let month = (&slot.subscription, slot.period.start);
        if let Some(cap) = slot.carry_max {
            let most: &mut i64 = most.entry(month).or_default();
            *most = cap.get().max(*most);
        }
        if grant.terms.source == Source::Rollover {
            // What rolled over before a smaller cap became known, and is spent or has ended, stays.
            *carried.entry(month).or_default() += grant.remaining.get();
        }
    }
    for ((subscription, start), carried) in carried {
        // The cap by what is known now; a month that was recorded without invoice lines has it itself.
        let facts = scenario.open().subscriptions.facts().get(subscription);
        let month = facts.and_then(|facts| facts.months().iter().find(|month| month.period.start == start));
        let most = month
            .map_or_else(|| most[&(subscription, start)], |month| month.carry_max.map_or(0, |cap| cap.get()));
        assert!(carried <= most, "{carried} were carried over a cap of {most}");
    }
}

/// Checks that a month's grants, less what was taken back or is owed, never exceed what the largest plan gives.
fn check_month(scenario: &Scenario, largest: i64) {
    let net = scenario.gained();
    assert!(net <= largest, "{net} were granted in a month of at most {largest}");
}

/// Checks that clawbacks never exceed the share of the money that was returned, however often refunds fail and disputes
/// change.
/// A grant and its rollover count as one.
fn check_claw_backs(scenario: &Scenario) {
    let payments = &scenario.open().payments;
    let carried = |from: &Grant| {
        let id = from.terms.grant_id.clone();
        scenario.grants().into_iter().filter(move |grant| {
            grant.terms.slot.as_ref().is_some_and(|slot| slot.carried_from.as_ref() == Some(&id))
        })
    };
    // Months are left out, since invoice lines that return money take credits back, too.
    let bought = scenario.grants().into_iter().filter(|grant| grant.terms.slot.is_none());
    for grant in bought {
        let Some(payment) = grant.terms.payment.as_ref().filter(|id| payments.invoice_of(id).is_none())
        else {
            continue;
        };
        let taken: i64 = carried(grant).chain([grant]).map(|grant| grant.clawed_back.get()).sum();
        let (money, amount) = (payments.returned(payment), i128::from(grant.terms.amount.get()));
        let paid = i128::from(money.paid.unwrap_or(0)).max(1);
        let share = amount * i128::from(money.returned).clamp(0, paid) / paid;
        let most = if money.whole { amount } else { share };
        assert!(i128::from(taken) <= most, "{taken} of {amount} taken back, and {money:?} went back");
    }
}

proptest! {
    /// The scenario itself checks after each of its events that grants and the balance add up.
    #[test]
    fn credits_are_conserved_and_every_sum_is_right(catalog in catalogs(), steps in steps()) {
        let scenario = play(catalog, &steps);
        scenario.history.iter().for_each(check_sums);
        check_holds(&scenario.history);
        check_refunds(&scenario.history);
        check_rollover(&scenario);
        check_claw_backs(&scenario);
    }

    /// An account that moved in keeps the same laws, and time can always pass for it.
    #[test]
    fn an_account_that_moved_in_keeps_the_laws(catalog in catalogs(), steps in steps(), number in 0..3_u32) {
        let start = moved_in(given([]).under(catalog), number, Some(70));
        let scenario = play_from(start, &steps, |scenario| {
            scenario.send(&Command::Account(AccountCommand::ApplyDue));
            assert!(scenario.outcome().is_ok(), "{:?}", scenario.outcome());
            let due = next_due(scenario.open());
            assert!(due.is_none_or(|due| due > scenario.clock), "{due:?} is due at {}", scenario.clock);
        });
        scenario.history.iter().for_each(check_sums);
        check_holds(&scenario.history);
        check_refunds(&scenario.history);
        check_claw_backs(&scenario);
        let stored = serde_json::to_string(&scenario.account).expect("a state can be stored");
        let read: Account = serde_json::from_str(&stored).expect("a stored state can be read");
        assert_eq!(read, scenario.account);
        let replayed = scenario.history.iter().try_fold(Account::Unopened, evolve);
        assert_eq!(replayed.expect("the history is possible"), scenario.account);
    }

    #[test]
    fn deciding_changes_nothing_and_is_the_same_each_time(catalog in catalogs(), steps in steps()) {
        play_and(catalog, &steps, |scenario| {
            for command in [Command::Account(AccountCommand::ApplyDue), words::deduct(7), words::hold(7), words::generate("stems")] {
                let context = Context { at: scenario.clock, catalog: &scenario.catalog };
                let before = scenario.account.clone();
                let once = decide(&scenario.account, &command, context);
                assert_eq!(once, decide(&scenario.account, &command, context));
                assert_eq!(before, scenario.account);
            }
        });
    }

    #[test]
    fn a_replay_of_the_events_is_the_state(catalog in catalogs(), steps in steps()) {
        let scenario = play(catalog, &steps);
        let mut replayed = Account::Unopened;
        for event in &scenario.history {
            let stored = serde_json::to_string(event).expect("an event can be stored");
            let read: Event = serde_json::from_str(&stored).expect("a stored event can be read");
            assert_eq!(&read, event);
            replayed = evolve(replayed, &read).expect("the history is possible");
        }
        assert_eq!(replayed, scenario.account);
        assert_eq!(replayed.version(), scenario.history.len() as u64);
    }

    #[test]
    fn a_snapshot_is_the_state(catalog in catalogs(), steps in steps()) {
        let scenario = play(catalog, &steps);
        let stored = serde_json::to_string(&scenario.account).expect("a state can be stored");
        let read: Account = serde_json::from_str(&stored).expect("a stored state can be read");
        assert_eq!(read, scenario.account);
    }

    /// How often the account is looked at makes no difference: the histories are the same.
    #[test]
    fn time_moves_things_as_the_clock_says_however_often_one_looks(
        catalog in catalogs(),
        steps in steps(),
        looks in prop::collection::vec(0..8_i64, 40),
        rest in 0..9_000_000_i64,
    ) {
        let last = Step { seconds: rest, action: super::actions::Action::Settle };
        let once: Vec<Step> = steps.iter().cloned().chain([last]).collect();
        let mut often = opened_under(catalog.clone());
        for (number, step) in once.iter().enumerate() {
            let looks = looks[number % looks.len()];
            let until = often.clock.plus(TimeDelta::seconds(step.seconds));
            for look in 1..=looks {
                let at = often.clock.plus(TimeDelta::seconds(step.seconds / (looks + 1))).min(until);
                often = often.at(at).settle().then_accepted();
                prop_assert!(look <= looks);
            }
            often = often.at(until);
            if let Some(command) = step.action.command(&often, number) {
                often.send(&command);
            }
        }
        let once = play(catalog, &once);
        prop_assert_eq!(often.balance(), once.balance());
        prop_assert_eq!(outcome(&often), outcome(&once));
        // If somebody looks while a month waits for its payment, the end of its grants moves, and later events have
        // other numbers.
        let waits = |event: &Event| matches!(event, Event::Credits(CreditsEvent::GrantEndMoved { .. }));
        if !often.history.iter().chain(&once.history).any(waits) {
            prop_assert_eq!(&often.history, &once.history);
            prop_assert_eq!(&often.account, &once.account);
        }
    }

    /// Time can always pass: no history leads to an account for which nothing can be done any more.
    #[test]
    fn time_can_always_pass_and_then_nothing_is_due(catalog in catalogs(), steps in steps()) {
        play_and(catalog, &steps, |scenario| {
            scenario.send(&Command::Account(AccountCommand::ApplyDue));
            assert!(scenario.outcome().is_ok(), "{:?}", scenario.outcome());
            let due = next_due(scenario.open());
            assert!(due.is_none_or(|due| due > scenario.clock), "{due:?} is due at {}", scenario.clock);
            scenario.send(&Command::Account(AccountCommand::ApplyDue));
            assert_eq!(scenario.outcome(), &Ok(Vec::new()));
        });
    }

    /// A caller that is refused for lack of credits can spend what the refusal says is available.
    #[test]
    fn a_refusal_tells_the_truth(catalog in catalogs(), steps in steps()) {
        let mut scenario = play(catalog, &steps);
        scenario.send(&words::deduct(i64::MAX));
        let spendable = match scenario.refusal() {
            Refusal::InsufficientCredits { available, .. } => available.get(),
            Refusal::LimitReached { limit, .. } => {
                (limit.remaining as i64).min(scenario.balance().available.get())
            }
            other => panic!("{other:?}"),
        };
        if spendable > 0 {
            scenario.send(&words::deduct(spendable));
            let limited = matches!(scenario.outcome(), Err(Refusal::LimitReached { .. }));
            prop_assert!(limited || scenario.outcome().is_ok(), "{:?}", scenario.outcome());
        }
    }

    /// Upgrade, spend and downgrade in any order and as often as one likes.
    #[test]
    fn no_loop_of_plans_gains_anything(
        moves in prop::collection::vec((0..3_usize, 0..2000_i64, 1..400_000_i64), 1..12),
        first in 0..3_usize,
    ) {
        let plans = ["basic", "creator", "team"];
        let mut current = first;
        let mut scenario = given([words::opened()]).at(month(0).start);
        scenario.send(&words::pay("in_1", plans[first], month(0)));
        for (number, (next, spent, seconds)) in moves.into_iter().enumerate() {
            if scenario.clock.plus(TimeDelta::seconds(seconds)) >= month(0).end {
                break;
            }
            scenario = scenario.after(TimeDelta::seconds(seconds));
            let at = scenario.clock;
            let invoice = format!("in_change_{number}");
            scenario.send(&words::change_plan(&invoice, plans[current], plans[next], at, month(0).end));
            prop_assert!(scenario.outcome().is_ok());
            current = next;
            let spent = spent.min(scenario.balance().available.get());
            if spent > 0 {
                scenario.send(&words::deduct(spent));
            }
        }
        check_month(&scenario, 5_000);
    }

    /// The same between monthly and yearly, during the first month: no more than the largest plan gives for the time
    /// that has passed, and for the month that is paid.
    #[test]
    fn no_loop_of_plans_and_intervals_gains_anything(
        moves in prop::collection::vec((0..3_usize, any::<bool>(), 0..6_000_i64, 1..150_000_i64), 1..16),
    ) {
        let plans = ["basic", "creator", "team"];
        let mut held = ("creator", Interval::Month, month(0));
        let mut scenario = given([words::opened()]).at(month(0).start);
        scenario.send(&words::pay("in_0", held.0, held.2));
        for (number, (next, is_year, spent, seconds)) in moves.iter().enumerate() {
            scenario = scenario.after(TimeDelta::seconds(*seconds));
            let at = scenario.clock;
            if at >= held.2.end {
                break;
            }
            let (to, invoice) = (plans[*next], format!("in_move_{number}"));
            let interval = if *is_year { Interval::Year } else { Interval::Month };
            if interval == held.1 {
                let span = Period { start: at, end: held.2.end };
                scenario.send(&words::change_plan_of(interval, &invoice, held.0, to, span));
                held.0 = to;
            } else {
                let begun = Period { start: at, end: at.plus_months(interval.months()) };
                scenario.send(&words::switch(&invoice, held, to, begun));
                held = (to, interval, begun);
            }
            prop_assert!(scenario.outcome().is_ok());
            let spent = (*spent).min(scenario.balance().available.get());
            if spent > 0 {
                scenario.send(&words::deduct(spent));
            }
        }
        let passed = Period { start: month(0).start, end: scenario.clock }.seconds();
        // Each move rounds a few times.
        let rounded = 8 * i64::try_from(moves.len()).unwrap();
        let most = 5_000 + 5_000 * i64::try_from(passed).unwrap() / (28 * 86_400) + rounded;
        let net = scenario.gained();
        prop_assert!(net <= most, "{net} of {most}");
    }
}
