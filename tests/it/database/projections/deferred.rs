//! Does deferred revenue agree with a plain computation over all events, on each day, whatever was late?

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use counterfoil::{
    domain::{
        amount::{Currency, Money},
        credits::{GrantTerms, PRIORITY_DEFAULT, Source},
        event::{CreditsEvent, Draw, Event, InvoiceEvent, PaymentEvent, Purpose},
        ids::{AccountId, DeductionId, GrantId, PlanId, ProviderId},
        invoice::{LineEffect, PaidInvoice, PaidLine},
        recorded::Shard,
        revenue::{RevenueKind, RevenueSource},
        time::{Period, Timestamp, start_of_day},
    },
    projections::{
        FigureInterval,
        deferred::{
            DeferredCell, DeferredFlow, DeferredProjection, RevenueFilter, flows, lots, restated_since, rows,
            spans, stock_before,
        },
    },
};
use sqlx::PgPool;

use super::{Following, append, numbers::Numbers, opened, time};
use crate::support::{database::TestDatabase, ledger::credits as amount, shards};

const ACCOUNTS: u64 = 5;
const CURRENCIES: [&str; 2] = ["eur", "usd"];

/// A lot as people would write it down, and each use of it in the order in which it became known.
struct Lot {
    account: String,
    id: String,
    currency: &'static str,
    cost: i64,
    amount: i64,
    sold_at: Timestamp,
    used: Vec<(Timestamp, RevenueKind, i64)>,
}

/// A line of an invoice, and what was returned of it in all from some times on.
struct Line {
    account: String,
    invoice: String,
    currency: &'static str,
    minor: i64,
    period: Period,
    paid_at: Timestamp,
    returned: Vec<(Timestamp, i64)>,
}

#[derive(Default)]
struct Books {
    lots: Vec<Lot>,
    lines: Vec<Line>,
}

fn money(minor: i64, currency: &str) -> Money {
    Money { minor, currency: Currency::parse(currency).unwrap() }
}

fn provider(id: &str) -> ProviderId {
    ProviderId::parse(id).unwrap()
}

fn bought(lot: &Lot) -> Event {
    let grant = GrantTerms {
        grant_id: GrantId::parse(&lot.id).unwrap(),
        source: Source::TopUp,
        amount: amount(lot.amount),
        starts_at: lot.sold_at,
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: Some(money(lot.cost, lot.currency)),
        payment: None,
        slot: None,
        reason: None,
    };
    Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at: lot.sold_at })
}

/// What becomes of so many credits of a lot, and what that is to the books.
fn used(numbers: &mut Numbers, lot: &str, number: i64, at: Timestamp) -> (Event, RevenueKind) {
    let grant_id = GrantId::parse(lot).unwrap();
    let draws = vec![Draw { grant_id: grant_id.clone(), amount: amount(number) }];
    match numbers.below(4) {
        0 => (
            Event::Credits(CreditsEvent::CreditsExpired {
                grant_id,
                amount: amount(number),
                effective_at: at,
            }),
            RevenueKind::Breakage,
        ),
        1 => (
            Event::Credits(CreditsEvent::CreditsClawedBack {
                payment: provider("pi_0"),
                grant_id,
                voided: amount(number),
                expired: amount(0),
                owed: amount(0),
                forgiven: amount(0),
                effective_at: at,
            }),
            RevenueKind::Refunded,
        ),
        _ => (
            Event::Credits(CreditsEvent::CreditsDeducted {
                deduction_id: DeductionId::parse("ded_1").unwrap(),
                amount: amount(number),
                draws,
                order: "burn/v1".into(),
                purpose: Purpose::default(),
                windows: Vec::new(),
                effective_at: at,
            }),
            RevenueKind::Recognised,
        ),
    }
}

fn paid(line: &Line) -> Event {
    let invoice = PaidInvoice {
        invoice: provider(&line.invoice),
        subscription: provider("sub_1"),
        total: line.minor,
        credited: 0,
        from_balance: 0,
        gives_back: BTreeMap::new(),
        lines: vec![PaidLine {
            line: provider("il_1"),
            plan: PlanId::parse("pro").unwrap(),
            quantity: 1,
            period: line.period,
            effect: LineEffect::Charge,
            gives_back: None,
            months: 1,
            full: true,
            free: false,
            unit: amount(500),
            rollover: None,
            cost: money(line.minor, line.currency),
        }],
        created_at: line.paid_at,
        finalized_at: None,
    };
    Event::Invoice(InvoiceEvent::InvoicePaid { invoice, effective_at: line.paid_at })
}

/// A year of five accounts that buy credits and subscribe, with events that are recorded days later.
async fn story(pool: &PgPool, seed: u64) -> Books {
    let (mut numbers, begin) = (Numbers(seed), time("2027-01-01T00:00:00Z"));
    for number in 0..ACCOUNTS {
        append(pool, &format!("account-{number}"), &opened(begin), begin, 0).await;
    }
    let mut books = Books::default();
    for step in 0..220_i64 {
        let seconds = (365 * 86_400 / 220) * step + numbers.up_to(86_400);
        let at = begin.plus(TimeDelta::seconds(seconds));
        let recorded = if numbers.below(5) == 0 { at.plus(TimeDelta::days(3)) } else { at };
        let account = format!("account-{}", numbers.below(ACCOUNTS));
        let currency = CURRENCIES[usize::try_from(numbers.below(2)).unwrap()];
        match numbers.below(8) {
            0 => {
                let (id, cost) = (format!("pack:{step}"), numbers.up_to(5_000));
                let amount = numbers.up_to(400);
                let lot = Lot { account, id, currency, cost, amount, sold_at: at, used: Vec::new() };
                append(pool, &lot.account, &bought(&lot), recorded, 0).await;
                books.lots.push(lot);
            }
            1 | 2 => {
                let months = if numbers.below(4) == 0 { 12 } else { 1 };
                // Some invoices are paid when their period has begun.
                let start = at.minus(TimeDelta::days(i64::try_from(numbers.below(4)).unwrap()));
                let period = Period { start, end: start.plus_months(months) };
                let (invoice, minor) = (format!("in_{step}"), numbers.up_to(20_000));
                let line =
                    Line { account, invoice, currency, minor, period, paid_at: at, returned: Vec::new() };
                append(pool, &line.account, &paid(&line), recorded, 0).await;
                books.lines.push(line);
            }
            3 if !books.lines.is_empty() => {
                let place = usize::try_from(numbers.below(books.lines.len() as u64)).unwrap();
                let line = &mut books.lines[place];
                let before = line.returned.last().map_or(0, |(_, returned)| *returned);
                let minor = numbers.up_to(line.minor);
                let event = Event::Payment(PaymentEvent::RefundIssued {
                    refund: provider(&format!("re_{step}")),
                    payment: provider(&line.invoice),
                    money: money(minor, line.currency),
                    effective_at: at,
                });
                append(pool, &line.account, &event, recorded, 0).await;
                line.returned.push((at, before + minor));
            }
            _ if !books.lots.is_empty() => {
                let place = usize::try_from(numbers.below(books.lots.len() as u64)).unwrap();
                let lot = &mut books.lots[place];
                let left = lot.amount - lot.used.iter().map(|(_, _, number)| number).sum::<i64>();
                if left > 0 {
                    let number = numbers.up_to(left);
                    let (event, kind) = used(&mut numbers, &lot.id, number, at);
                    append(pool, &lot.account, &event, recorded, 0).await;
                    lot.used.push((at, kind, number));
                }
            }
            _ => {}
        }
    }
    books
}

/// What a line is worth from `at` on: nothing before it is paid.
fn worth(line: &Line, at: Timestamp) -> i64 {
    let returned = line.returned.iter().filter(|(since, _)| *since < at).map(|(_, returned)| *returned);
    let returned = returned.max().unwrap_or(0).min(line.minor);
    if line.paid_at < at { line.minor - line.minor * returned / line.minor } else { 0 }
}

/// What of `minor` has passed by `at`.
fn passed(minor: i64, line: &Line, at: Timestamp) -> i64 {
    let whole = i128::from(line.period.end.micros() - line.period.start.micros());
    let part = i128::from((at.micros() - line.period.start.micros()).max(0)).min(whole);
    i64::try_from(i128::from(minor) * part / whole).unwrap()
}

/// What is deferred right before `at`, by account.
fn deferred(books: &Books, currency: &str, at: Timestamp) -> BTreeMap<String, i128> {
    let mut all: BTreeMap<String, i128> = BTreeMap::new();
    for lot in books.lots.iter().filter(|lot| lot.currency == currency && lot.sold_at < at) {
        let mut money = lot.cost;
        // Money follows the order in which uses became known, whenever they took effect.
        let mut used = 0;
        for (since, _, number) in &lot.used {
            let before = i128::from(lot.cost) * i128::from(used) / i128::from(lot.amount);
            used += number;
            let after = i128::from(lot.cost) * i128::from(used) / i128::from(lot.amount);
            if *since < at {
                money -= i64::try_from(after - before).unwrap();
            }
        }
        *all.entry(lot.account.clone()).or_default() += i128::from(money);
    }
    for line in books.lines.iter().filter(|line| line.currency == currency) {
        let minor = worth(line, at);
        *all.entry(line.account.clone()).or_default() += i128::from(minor - passed(minor, line, at));
    }
    all.retain(|_, minor| *minor != 0);
    all
}

/// What was returned of subscriptions between two times, and what of that had been earned.
fn returned(books: &Books, currency: &str, from: Timestamp, until: Timestamp) -> (i64, i64) {
    let (mut all, mut earned) = (0, 0);
    for line in books.lines.iter().filter(|line| line.currency == currency) {
        for (at, _) in line.returned.iter().filter(|(at, _)| *at >= from && *at < until) {
            let (before, after) = (worth(line, *at), worth(line, at.plus(TimeDelta::microseconds(1))));
            all += before - after;
            earned += passed(before, line, *at) - passed(after, line, *at);
        }
    }
    (all, earned)
}

async fn all_rows(pool: &PgPool, cell: DeferredCell<'_>) -> BTreeMap<String, i128> {
    let mut connection = pool.acquire().await.unwrap();
    let mut all = BTreeMap::new();
    let mut after: Option<(Shard, String)> = None;
    loop {
        let place = after.as_ref().map(|(shard, account)| (*shard, account.as_str()));
        let page = rows(&mut connection, cell, place, 2).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some((shards::shard_of(pool, &last.account_id).await, last.account_id.clone()));
        let some = page.into_iter().filter(|row| row.minor != 0);
        all.extend(some.map(|row| (row.account_id, row.minor)));
    }
}

/// Stock and flows of each interval, and the rows of each.
async fn agrees(pool: &PgPool, books: &Books, interval: FigureInterval, with_rows: bool) {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let days = interval.of_days(day("2027-01-10"), day("2028-03-01"));
    let mut connection = pool.acquire().await.unwrap();
    for currency in CURRENCIES {
        let filter = RevenueFilter { currency: Some(currency), source: None };
        let flows = flows(&mut connection, &days, filter).await.unwrap();
        for (place, (start, end)) in days.iter().copied().enumerate() {
            let (from, until) = (start_of_day(start, Tz::UTC), start_of_day(end, Tz::UTC));
            let stock = stock_before(&mut connection, end, filter).await.unwrap();
            let stock = stock.first().map_or(0, |stock| stock.minor);
            let expected = deferred(books, currency, until);
            assert_eq!(stock, expected.values().sum::<i128>(), "{currency} at {end}");
            let own = || flows.iter().filter(|flow| flow.place == place);
            let change: i128 = own().map(DeferredFlow::deferred).sum();
            let before: i128 = deferred(books, currency, from).values().sum();
            assert_eq!(before + change, stock, "{currency} from {start} to {end}");
            let of = |source, kind| -> i128 {
                own().filter(|flow| (flow.source, flow.kind) == (source, kind)).map(|flow| flow.minor).sum()
            };
            let within = |at: Timestamp| at >= from && at < until;
            let sold = books.lots.iter().filter(|lot| lot.currency == currency && within(lot.sold_at));
            let sold: i64 = sold.map(|lot| lot.cost).sum();
            assert_eq!(of(RevenueSource::Credits, RevenueKind::Sold), i128::from(sold));
            let (gone, earned) = returned(books, currency, from, until);
            assert_eq!(of(RevenueSource::Subscriptions, RevenueKind::Contra), i128::from(earned));
            let refunded = of(RevenueSource::Subscriptions, RevenueKind::Refunded);
            assert_eq!(refunded, i128::from(gone - earned), "{currency} from {start} to {end}");
            if with_rows {
                let whole = DeferredCell { from: None, until: end, currency, source: None, kind: None };
                assert_eq!(all_rows(pool, whole).await, expected, "{currency} at {end}");
                for flow in own() {
                    let cell = DeferredCell {
                        from: Some(start),
                        until: end,
                        currency,
                        source: Some(flow.source),
                        kind: Some(flow.kind),
                    };
                    let sum: i128 = all_rows(pool, cell).await.values().sum();
                    assert_eq!(sum, flow.minor, "{cell:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn deferred_revenue_agrees_with_a_plain_computation() {
    for seed in 1..4 {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        let books = story(&pool, seed).await;
        let following = Following::start(pool.clone(), vec![Arc::new(DeferredProjection)]).await;
        following.caught_up(&pool).await;
        for (interval, with_rows) in [
            (FigureInterval::Day, false),
            (FigureInterval::Week, false),
            (FigureInterval::Month, true),
            (FigureInterval::Quarter, true),
            (FigureInterval::Year, true),
        ] {
            agrees(&pool, &books, interval, with_rows).await;
        }
        following.assert_rebuild_finds_the_same().await;
    }
}

/// A refund that becomes known days later changes its own day, which says so.
#[tokio::test]
async fn a_refund_that_is_told_late_restates_its_day() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let at = time("2027-03-01T00:00:00Z");
    let period = Period { start: at, end: at.plus_months(1) };
    let line = Line {
        account: "acme".to_owned(),
        invoice: "in_1".to_owned(),
        currency: "usd",
        minor: 3_100,
        period,
        paid_at: at,
        returned: Vec::new(),
    };
    append(&pool, "acme", &opened(at), at, 0).await;
    append(&pool, "acme", &paid(&line), at, 0).await;
    let following = Following::start(pool.clone(), vec![Arc::new(DeferredProjection)]).await;
    following.caught_up(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    let days = |from: &str| {
        let first: NaiveDate = from.parse().unwrap();
        (first, first.checked_add_days(Days::new(1)).unwrap())
    };
    let filter = RevenueFilter::default();
    assert_eq!(restated_since(&mut connection, days("2027-03-11"), filter).await.unwrap(), None);
    let (refunded_at, late) = (time("2027-03-11T00:00:00Z"), time("2027-03-15T08:00:00Z"));
    let refund = Event::Payment(PaymentEvent::RefundIssued {
        refund: provider("re_1"),
        payment: provider("in_1"),
        money: money(3_100, "usd"),
        effective_at: refunded_at,
    });
    append(&pool, "acme", &refund, late, 0).await;
    following.caught_up(&pool).await;
    assert_eq!(restated_since(&mut connection, days("2027-03-11"), filter).await.unwrap(), Some(late));
    assert_eq!(restated_since(&mut connection, days("2027-03-10"), filter).await.unwrap(), None);
    let stock = stock_before(&mut connection, days("2027-03-11").1, filter).await.unwrap();
    assert_eq!(stock.first().map(|stock| stock.minor), Some(0), "nothing is deferred any more");
    let (shard, account) = (shards::shard_of(&pool, "acme").await, AccountId::parse("acme").unwrap());
    let of = (shard, &account);
    let periods = spans(&pool, of, None, 10).await.unwrap();
    assert_eq!(periods.len(), 1, "what was earned before the refund stays: {periods:?}");
    assert_eq!(lots(&pool, of, None, 10).await.unwrap(), Vec::new());
}
