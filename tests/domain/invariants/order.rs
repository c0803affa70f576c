//! Do the rules alone lead to the same result, in whatever order and however often the provider reports?

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    amount::Credits,
    catalog::Interval,
    command::{AccountCommand, Command, CustomerCommand, SubscriptionChange as Change},
    credits::Source,
    event::{Event, SubscriptionEvent},
    ids::ProviderId,
    moving::{ImportAccount, MovedGrant},
    subscription::{SubscriptionState, SubscriptionStatus as Status},
    time::{Period, Timestamp},
};
use proptest::{prelude::*, sample::Index};

use super::actions::catalogs;
use crate::builders::{
    catalog::{credits, plan_id, rolling_twice},
    scenario::{Scenario, given},
    words::{self, day, evidence, month, provider},
};

const PLANS: [&str; 3] = ["basic", "creator", "team"];
/// The payments that are refunded: for packs, and for the first invoice.
const MONEY: [&str; 3] = ["pi_0", "pi_1", "pi_of_in_0"];
const PAYMENTS: [&str; 6] = ["in_0", "in_1", "in_2", "in_3", "pi_0", "pi_1"];

/// When everything is processed: long after it happened, or during the last month.
fn processed() -> Timestamp {
    day(100)
}

/// The life of one subscription: which months were paid, on which plan, and whether the plan was upgraded in them.
#[derive(Clone, Debug)]
struct Story {
    months: Vec<(usize, bool)>,
    statuses: Vec<Status>,
    packs: usize,
    refunds: Vec<(Index, i64)>,
    /// Single refunds, by payment: how much, and whether they failed.
    single: Vec<(Index, i64, bool)>,
    /// Whether the payment of the first invoice is reported.
    linked: bool,
    disputes: Vec<(Index, bool)>,
    unlinked: bool,
}

fn story() -> impl Strategy<Value = Story> {
    use Status::{Active, Cancelled, Incomplete, PastDue, Paused, Trialing};
    let statuses = vec![Active, Cancelled, Incomplete, PastDue, Paused, Trialing];
    let months = prop::collection::vec((0..3_usize, any::<bool>()), 0..4);
    let statuses = prop::collection::vec(prop::sample::select(statuses), 0..4);
    let refunds = prop::collection::vec((any::<Index>(), 1..1001_i64), 0..4);
    let disputes = prop::collection::vec(any::<(Index, bool)>(), 0..3);
    let single = prop::collection::vec((any::<Index>(), 1..1001_i64, any::<bool>()), 0..3);
    let told = (any::<bool>(), any::<bool>());
    (months, statuses, 0..3_usize, refunds, single, disputes, told).prop_map(
        |(months, statuses, packs, refunds, single, disputes, (linked, unlinked))| Story {
            months,
            statuses,
            packs,
            refunds,
            single,
            linked,
            disputes,
            unlinked,
        },
    )
}

impl Story {
    fn reports(&self) -> Vec<Command> {
        let mut reports = vec![Command::Customer(CustomerCommand::LinkCustomer {
            customer: customer(),
            effective_at: day(0),
        })];
        for (number, (plan, upgraded)) in (0_u32..).zip(&self.months) {
            reports.push(words::pay(&format!("in_{number}"), PLANS[*plan], month(number)));
            if *upgraded && *plan < 2 {
                let at = month(number).start.plus(TimeDelta::days(11));
                let (from, to) = (PLANS[*plan], PLANS[*plan + 1]);
                reports.push(words::change_plan(&format!("in_up_{number}"), from, to, at, month(number).end));
            }
        }
        for (number, status) in (0_i64..).zip(&self.statuses) {
            reports.push(words::report(Change::Renewed, reported(*status, day(number * 9))));
        }
        for pack in 0..self.packs {
            reports.push(words::buy(&format!("pi_{pack}"), "pack_2000", 1, day(3)));
        }
        for (payment, refunded) in &self.refunds {
            reports.push(words::refund_payment(
                PAYMENTS[payment.index(PAYMENTS.len())],
                *refunded,
                1000,
                day(50),
            ));
        }
        for (number, (payment, minor, failed)) in self.single.iter().enumerate() {
            let (id, payment) = (format!("re_{number}"), MONEY[payment.index(MONEY.len())]);
            reports.push(words::refund_once(&id, payment, *minor, day(50)));
            reports.extend(failed.then(|| words::fail_refund(&id, payment, *minor, day(50))));
        }
        reports.extend(self.linked.then(|| words::link_payment("pi_of_in_0", "in_0", day(1))));
        for (payment, closed) in &self.disputes {
            let payment = PAYMENTS[payment.index(PAYMENTS.len())];
            let dispute = format!("dp_{payment}");
            reports.push(words::open_dispute(&dispute, payment, day(40)));
            // A dispute with two outcomes would contradict itself, so each has one.
            let won = payment.ends_with('0');
            reports.extend(closed.then(|| words::close_dispute(&dispute, payment, won, day(60))));
        }
        if self.unlinked {
            reports.push(Command::Customer(CustomerCommand::UnlinkCustomer {
                customer: customer(),
                effective_at: day(70),
            }));
        }
        reports
    }
}

fn customer() -> ProviderId {
    provider("cus_1")
}

fn reported(status: Status, at: Timestamp) -> SubscriptionState {
    SubscriptionState {
        status,
        plan: plan_id("team"),
        trial_end: Some(day(14)),
        ended_at: (status == Status::Cancelled).then_some(at),
        evidence: evidence(at, 1),
        ..words::terms("team", month(0))
    }
}

/// An account that moves in ten days into a month, with the rest of that month, a pack and a debt.
pub fn moved_in(start: Scenario, number: u32, debt: Option<i64>) -> Scenario {
    let Period { start: begins, end } = month(number);
    let granted = |grant| MovedGrant { granted_at: Some(begins), ..grant };
    let left = words::moved_month(words::SUBSCRIPTION, "basic", 300, end);
    let pack = words::moved("pack", Source::TopUp, 150);
    let import = ImportAccount {
        grants: vec![granted(left), granted(pack)],
        debt: debt.map(credits),
        ..ImportAccount::default()
    };
    let at = begins.plus(TimeDelta::days(10));
    start.at(at).when(words::import(import)).then_accepted()
}

fn process(start: Scenario, reports: &[Command], at: Timestamp) -> Scenario {
    let scenario =
        reports.iter().fold(start.at(at), |scenario, report| scenario.when(report.clone()).then_accepted());
    scenario.settle().then_accepted()
}

/// What is left in the end.
/// Credits that a refund takes back may have rolled over or expired before, or not: in both cases nobody has them.
pub fn outcome(scenario: &Scenario) -> BTreeMap<String, [i64; 4]> {
    let mut grants: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    for grant in scenario.grants() {
        let rolled = grant.terms.source == Source::Rollover;
        let name = match &grant.terms.slot {
            Some(slot) if rolled => format!("carried into {}", slot.period.start),
            Some(slot) => format!("of the month until {}", slot.month_end()),
            // Such a grant is named after the number of its event.
            None if grant.terms.source == Source::Refund => "a refund".to_owned(),
            None => grant.terms.grant_id.to_string(),
        };
        // A month is granted as far as is known to be due, and some of it may have paid a debt that later turned out to
        // be none.
        // So only what is left of it is the same in any order.
        let history = |credits: Credits| if grant.terms.slot.is_some() { 0 } else { credits.get() };
        let (granted, consumed) = (history(grant.terms.amount), history(grant.consumed));
        let parts = [granted, grant.remaining.get(), consumed, grant.held.get()];
        let sums = grants.entry(name).or_default();
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    grants.retain(|_, parts| parts.iter().any(|part| *part > 0));
    grants
}

fn assert_same(one: &Scenario, other: &Scenario, whole: bool) {
    assert_eq!(one.balance(), other.balance());
    assert_eq!(one.open().plan(one.clock, &one.catalog), other.open().plan(other.clock, &other.catalog));
    assert_eq!(one.open().customers, other.open().customers);
    assert_eq!(one.open().subscriptions.known(), other.open().subscriptions.known());
    if whole {
        assert_eq!(outcome(one), outcome(other));
    }
}

fn shuffled() -> impl Strategy<Value = (Vec<Command>, Vec<Command>)> {
    story().prop_flat_map(|story| {
        let reports = story.reports();
        let doubled: Vec<Command> = reports.iter().chain(&reports).cloned().collect();
        (Just(reports), Just(doubled).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn reports_end_the_same_in_any_order_and_doubled(
        catalog in catalogs(),
        (reports, shuffled) in shuffled(),
    ) {
        let start = || given([]).under(catalog.clone());
        let one = process(start(), &reports, processed());
        let other = process(start(), &shuffled, processed());
        assert_same(&one, &other, true);
    }

    #[test]
    fn reports_end_the_same_on_an_account_that_was_open_already(
        catalog in catalogs(),
        (reports, shuffled) in shuffled(),
    ) {
        let start = || given([]).under(catalog.clone()).when(Command::Account(AccountCommand::OpenAccount));
        let one = process(start(), &reports, processed());
        let other = process(start(), &shuffled, processed());
        assert_same(&one, &other, true);
    }

    #[test]
    fn reports_end_the_same_on_an_account_that_moved_in(
        catalog in catalogs(),
        (reports, shuffled) in shuffled(),
        number in 0..3_u32,
    ) {
        let start = || moved_in(given([]).under(catalog.clone()), number, None);
        let one = process(start(), &reports, processed());
        let other = process(start(), &shuffled, processed());
        assert_same(&one, &other, true);
    }

    /// The reports arrive while time passes, each at another time.
    #[test]
    fn reports_end_the_same_whenever_they_arrive(
        (reports, shuffled) in shuffled(),
        delays in prop::collection::vec(0..700_000_i64, 60),
    ) {
        let mut slow = given([]).at(processed().minus(TimeDelta::days(20)));
        for (report, delay) in shuffled.into_iter().zip(delays) {
            slow = slow.after(TimeDelta::seconds(delay)).when(report).then_accepted();
        }
        let end = slow.clock.max(processed());
        let slow = slow.at(end).settle();
        let mut expected = given([]).at(processed().minus(TimeDelta::days(20))).when(Command::Account(AccountCommand::OpenAccount));
        for report in &reports {
            expected = expected.when(report.clone()).then_accepted();
        }
        assert_same(&expected.at(end).settle(), &slow, false);
    }
}

proptest! {
    /// A year whose plan was upgraded in some of its months.
    /// A month that was granted before the change became known has two grants, so their sums are compared, now and at
    /// the end of the year.
    /// What rolled over stays when a change to a plan with a lower cap becomes known months later.
    #[test]
    fn changes_inside_a_year_end_the_same_in_any_order(
        months in prop::collection::btree_set(0..12_u32, 0..3),
        spent in 0..800_i64,
        days in 100..360_i64,
        order in Just([0_usize, 1, 2]).prop_shuffle(),
    ) {
        let mut reports = vec![words::pay("in_0", "basic", words::year())];
        let end = words::year().end;
        for (number, month) in (0_usize..).zip(months) {
            let span = Period { start: words::month(month).start.plus(TimeDelta::days(7)), end };
            let (from, to) = (PLANS[number], PLANS[number + 1]);
            let invoice = format!("in_up_{number}");
            reports.push(words::change_plan_of(Interval::Year, &invoice, from, to, span));
        }
        let shuffled: Vec<Command> =
            order.into_iter().filter_map(|index| reports.get(index).cloned()).collect();
        let live = |reports: &[Command]| {
            let scenario = process(given([words::opened()]).under(rolling_twice()), reports, day(days));
            let spent = spent.min(scenario.balance().available.get());
            let scenario = if spent > 0 { scenario.when(words::deduct(spent)) } else { scenario };
            let now = scenario.balance();
            let ends = scenario.at(end.minus(TimeDelta::hours(1)).max(day(days))).settle().then_accepted();
            (now, ends.balance())
        };
        prop_assert_eq!(live(&reports), live(&shuffled));
    }
}

#[test]
fn a_history_of_reports_keeps_what_was_reported_late() {
    let newest = words::report(Change::Renewed, reported(Status::Active, day(9)));
    let older = words::report(Change::Renewed, reported(Status::PastDue, day(5)));
    let scenario = process(given([]), &[newest, older], processed());
    let reported = scenario
        .history
        .iter()
        .filter(|event| matches!(event, Event::Subscription(SubscriptionEvent::SubscriptionRenewed { .. })));
    assert_eq!(reported.count(), 2);
}
