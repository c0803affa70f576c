//! What can be asked of an account, at any time?

use chrono::TimeDelta;
use domain::{
    amount::Credits,
    catalog::{Catalog, Interval, Limit, Measure, WindowKind},
    command::{AccountCommand, Command, CreditsCommand, Excess, SubscriptionChange},
    event::{CreditsEvent, Event, HoldEvent},
    subscription::{SubscriptionState, SubscriptionStatus},
    time::{CalendarUnit, Period},
};
use proptest::prelude::*;

use crate::builders::{
    catalog::{self, credits, plan_id},
    scenario::Scenario,
    words::{self, month, provider},
};

/// A command, so many seconds after the one before. What it refers to is chosen from what the account has by then.
#[derive(Clone, Debug)]
pub struct Step {
    pub seconds: i64,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Deduct(i64),
    Generate(&'static str),
    Hold(i64, u32),
    Commit(usize, Option<i64>, Excess),
    Release(usize),
    Extend(usize, u32),
    SpendPart(usize, i64),
    TopUp(usize, i64, Option<u32>),
    ReturnPart(usize, i64),
    /// And when its deduction was read.
    Refund(usize, Option<i64>, usize),
    Grant {
        amount: i64,
        begins_in: i64,
        lives: Option<i64>,
        priority: Option<u8>,
        paid: bool,
    },
    Adjust(i64),
    Forgive(Option<i64>),
    Pay(&'static str, u32),
    PayYear(&'static str),
    Change(&'static str, &'static str, Interval),
    Buy(usize, &'static str, u32),
    RefundPayment(usize, i64),
    RefundOnce(usize, usize, i64),
    FailRefund(usize, usize, i64),
    LinkPayment(usize, usize),
    Dispute(usize),
    CloseDispute(usize, bool),
    Report(SubscriptionStatus, &'static str),
    Discount(usize, i64),
    EndDiscount(usize),
    AskToChange(&'static str, u32),
    Settle,
}

const PLANS: [&str; 3] = ["basic", "creator", "team"];
const PAYMENTS: [&str; 6] = ["pi_0", "pi_1", "in_0", "in_1", "in_2", "in_year"];

fn plan() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&PLANS[..])
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1..30_i64, 1..700_i64, Just(1500), 1..6000_i64]
}

/// Usually short, sometimes more than a month.
fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => Just(0),
        3 => 1..3_600_i64,
        3 => 3_600..200_000_i64,
        1 => 86_400..3_500_000_i64,
    ]
}

fn excess() -> impl Strategy<Value = Excess> {
    prop_oneof![Just(Excess::Reject), Just(Excess::Cap), Just(Excess::Take)]
}

fn status() -> impl Strategy<Value = SubscriptionStatus> {
    use SubscriptionStatus::{Active, Cancelled, Incomplete, PastDue, Paused, Trialing, Unpaid};
    prop::sample::select(vec![Active, Cancelled, Incomplete, PastDue, Paused, Trialing, Unpaid])
}

fn spending() -> impl Strategy<Value = Action> {
    let lives = prop_oneof![Just(None), (1..4_000_000_i64).prop_map(Some)];
    let grant =
        (amount(), prop_oneof![Just(0), 0..400_000_i64], lives, prop::option::of(0..100_u8), any::<bool>());
    prop_oneof![
        4 => amount().prop_map(Action::Deduct),
        2 => prop::sample::select(vec!["standard", "stems", "batch"]).prop_map(Action::Generate),
        3 => (amount(), 1..90_000_u32).prop_map(|(amount, lives)| Action::Hold(amount, lives)),
        2 => (0..9_usize, prop::option::of(0..800_i64), excess())
            .prop_map(|(hold, amount, excess)| Action::Commit(hold, amount, excess)),
        1 => (0..9_usize).prop_map(Action::Release),
        1 => (0..9_usize, 0..90_000_u32).prop_map(|(hold, lives)| Action::Extend(hold, lives)),
        3 => (0..9_usize, amount()).prop_map(|(hold, amount)| Action::SpendPart(hold, amount)),
        2 => (0..9_usize, amount(), prop::option::of(0..90_000_u32))
            .prop_map(|(hold, amount, lives)| Action::TopUp(hold, amount, lives)),
        1 => (0..9_usize, amount()).prop_map(|(hold, amount)| Action::ReturnPart(hold, amount)),
        2 => (0..9_usize, prop::option::of(1..500_i64), 0..500_usize)
            .prop_map(|(deduction, amount, read_at)| Action::Refund(deduction, amount, read_at)),
        2 => grant.prop_map(|(amount, begins_in, lives, priority, paid)| {
            Action::Grant { amount, begins_in, lives, priority, paid }
        }),
        1 => amount().prop_map(Action::Adjust),
        1 => prop::option::of(amount()).prop_map(Action::Forgive),
        2 => Just(Action::Settle),
    ]
}

fn billing() -> impl Strategy<Value = Action> {
    let interval = prop_oneof![3 => Just(Interval::Month), 1 => Just(Interval::Year)];
    prop_oneof![
        4 => (plan(), 0..5_u32).prop_map(|(plan, month)| Action::Pay(plan, month)),
        1 => plan().prop_map(Action::PayYear),
        3 => (plan(), plan(), interval).prop_map(|(from, to, interval)| Action::Change(from, to, interval)),
        2 => (0..2_usize, prop::sample::select(vec!["pack_500", "pack_2000", "pack_short"]), 1..3_u32)
            .prop_map(|(payment, pack, quantity)| Action::Buy(payment, pack, quantity)),
        2 => (0..PAYMENTS.len(), 1..1001_i64)
            .prop_map(|(payment, refunded)| Action::RefundPayment(payment, refunded)),
        2 => (0..PAYMENTS.len(), 0..3_usize, 1..1001_i64)
            .prop_map(|(payment, refund, minor)| Action::RefundOnce(payment, refund, minor)),
        2 => (0..PAYMENTS.len(), 0..3_usize, 1..1001_i64)
            .prop_map(|(payment, refund, minor)| Action::FailRefund(payment, refund, minor)),
        1 => (0..2_usize, 2..PAYMENTS.len())
            .prop_map(|(payment, invoice)| Action::LinkPayment(payment, invoice)),
        1 => (0..PAYMENTS.len()).prop_map(Action::Dispute),
        1 => (0..PAYMENTS.len(), any::<bool>()).prop_map(|(payment, won)| Action::CloseDispute(payment, won)),
        2 => (status(), plan()).prop_map(|(status, plan)| Action::Report(status, plan)),
        1 => (0..2_usize, 1..101_i64).prop_map(|(discount, percent)| Action::Discount(discount, percent)),
        1 => (0..2_usize).prop_map(Action::EndDiscount),
        1 => (plan(), 1..4_u32).prop_map(|(plan, quantity)| Action::AskToChange(plan, quantity)),
    ]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![3 => spending(), 2 => billing()];
    let step = (delay(), action).prop_map(|(seconds, action)| Step { seconds, action });
    prop::collection::vec(step, 1..40)
}

/// Catalogs that differ in what rules depend on.
pub fn catalogs() -> impl Strategy<Value = Catalog> {
    let wide: Vec<Limit> = vec![
        catalog::limit(Measure::Credits, CalendarUnit::Week, WindowKind::Calendar, 2000),
        catalog::limit(Measure::Credits, CalendarUnit::Day, WindowKind::Rolling, 900),
        catalog::limit(Measure::Generations, CalendarUnit::Month, WindowKind::Rolling, 6),
    ];
    prop_oneof![
        Just(catalog::catalog()),
        Just(catalog::forgiving()),
        Just(catalog::free_monthly()),
        Just(catalog::free_nothing()),
        Just(catalog::limited("free", wide)),
    ]
}

impl Action {
    /// The command for this scenario. `None`: it has nothing that the command could be about.
    pub fn command(&self, scenario: &Scenario, number: usize) -> Option<Command> {
        let at = scenario.clock;
        Some(match self {
            Self::Deduct(amount) => words::deduct(*amount),
            Self::Generate(kind) => words::generate(kind),
            Self::Hold(amount, lives) => words::hold_for(*amount, *lives),
            Self::Commit(hold, amount, excess) => words::commit(&held(scenario, *hold)?, *amount, *excess),
            Self::Release(hold) => words::release(&held(scenario, *hold)?),
            Self::Extend(hold, lives) => words::extend(&held(scenario, *hold)?, *lives),
            Self::SpendPart(hold, amount) => words::spend(&held(scenario, *hold)?, *amount),
            Self::TopUp(hold, amount, lives) => words::top_up(&held(scenario, *hold)?, *amount, *lives),
            Self::ReturnPart(hold, amount) => words::reduce(&held(scenario, *hold)?, *amount),
            Self::Refund(deduction, amount, read_at) => {
                let id = deducted(scenario, *deduction)?;
                refund_of(scenario, &id, amount.map(credits), *read_at)
            }
            Self::Grant { amount, begins_in, lives, priority, paid } => {
                let starts_at = at.plus(TimeDelta::seconds(*begins_in));
                let expires_at = lives.map(|lives| starts_at.plus(TimeDelta::seconds(lives)));
                let mut command = words::grant(&format!("gift_{number}"), *amount, expires_at);
                if let Command::Credits(CreditsCommand::GrantCredits(grant)) = &mut command {
                    grant.starts_at = Some(starts_at);
                    grant.priority = *priority;
                    grant.cost = paid.then(|| catalog::usd(100));
                }
                command
            }
            Self::Adjust(amount) => Command::Credits(CreditsCommand::AdjustCredits {
                amount: credits(*amount),
                reason: "mistake".to_owned(),
            }),
            Self::Forgive(amount) => Command::Credits(CreditsCommand::ForgiveDebt {
                amount: amount.map(credits),
                reason: "goodwill".to_owned(),
            }),
            Self::Pay(plan, number) => words::pay(&format!("in_{number}"), plan, month(*number)),
            Self::PayYear(plan) => words::pay("in_year", plan, words::year()),
            Self::Change(from, to, interval) => self.change(scenario, number, from, to, *interval)?,
            Self::Buy(payment, pack, quantity) => words::buy(PAYMENTS[*payment], pack, *quantity, at),
            Self::RefundPayment(payment, refunded) => {
                words::refund_payment(PAYMENTS[*payment], *refunded, 1000, at)
            }
            Self::RefundOnce(payment, refund, minor) => {
                let id = format!("re_{payment}_{refund}");
                words::refund_once(&id, PAYMENTS[*payment], *minor, at)
            }
            Self::FailRefund(payment, refund, minor) => {
                let id = format!("re_{payment}_{refund}");
                words::fail_refund(&id, PAYMENTS[*payment], *minor, at)
            }
            Self::LinkPayment(payment, invoice) => {
                words::link_payment(PAYMENTS[*payment], PAYMENTS[*invoice], at)
            }
            Self::Dispute(payment) => words::open_dispute(&format!("dp_{payment}"), PAYMENTS[*payment], at),
            Self::CloseDispute(payment, won) => {
                words::close_dispute(&format!("dp_{payment}"), PAYMENTS[*payment], *won, at)
            }
            Self::Report(status, plan) => {
                words::report(SubscriptionChange::Renewed, reported(scenario, *status, plan))
            }
            Self::Discount(discount, percent) => {
                words::discounted("cus_1", &format!("di_{discount}"), *percent, at)
            }
            Self::EndDiscount(discount) => words::discount_ended("cus_1", &format!("di_{discount}"), at),
            Self::AskToChange(plan, quantity) => words::asked_to_change(plan, *quantity, at),
            Self::Settle => Command::Account(AccountCommand::ApplyDue),
        })
    }

    fn change(
        &self,
        scenario: &Scenario,
        number: usize,
        from: &str,
        to: &str,
        interval: Interval,
    ) -> Option<Command> {
        let at = scenario.clock;
        let period = match interval {
            Interval::Month => (0..5).map(month).find(|month| month.contains(at))?,
            Interval::Year => Some(words::year()).filter(|year| year.contains(at))?,
        };
        let span = Period { start: at, end: period.end };
        Some(words::change_plan_of(interval, &format!("in_change_{number}"), from, to, span))
    }
}

fn reported(scenario: &Scenario, status: SubscriptionStatus, plan: &str) -> SubscriptionState {
    let at = scenario.clock;
    SubscriptionState {
        status,
        plan: plan_id(plan),
        ended_at: (status == SubscriptionStatus::Cancelled).then_some(at),
        evidence: words::evidence(at, 1),
        subscription: provider(if plan == "team" { "sub_2" } else { "sub_1" }),
        ..words::terms(plan, month(0))
    }
}

/// The id of a hold of this history.
fn held(scenario: &Scenario, number: usize) -> Option<String> {
    let holds = scenario.history.iter().filter_map(|event| match event {
        Event::Hold(HoldEvent::CreditsHeld { hold_id, .. }) => Some(hold_id.to_string()),
        _ => None,
    });
    let holds: Vec<String> = holds.collect();
    (!holds.is_empty()).then(|| holds[number % holds.len()].clone())
}

/// The id of a deduction of this history.
fn deducted(scenario: &Scenario, number: usize) -> Option<String> {
    let deductions = scenario.history.iter().filter_map(|event| match event {
        Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, .. })
        | Event::Hold(HoldEvent::HoldSpent { deduction_id, .. }) => Some(deduction_id.to_string()),
        _ => None,
    });
    let deductions: Vec<String> = deductions.collect();
    deductions.get(number.checked_rem(deductions.len())?).cloned()
}

/// Whenever the deduction was read, the refund is decided as if it was read now.
fn refund_of(scenario: &Scenario, deduction: &str, amount: Option<Credits>, read_at: usize) -> Command {
    let read_at = read_at % (scenario.history.len() + 1);
    let earlier = words::refund(scenario.deduction_read_at(deduction, read_at), amount, "failed");
    let now = words::refund(scenario.deduction(deduction), amount, "failed");
    assert_eq!(scenario.clone().send(&earlier), scenario.clone().send(&now), "read at {read_at}");
    earlier
}
