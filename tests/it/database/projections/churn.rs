//! Is it known why an account stopped paying, what that comes to, and what is at risk?

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{NaiveDate, TimeDelta};
use counterfoil::{
    domain::{
        amount::Currency,
        event::{Event, InvoiceEvent, NoticeEvent, SubscriptionEvent},
        ids::{AccountId, ProviderId},
        invoice::{InvoiceState, UnpaidInvoice},
        requested::{CancelAt, Requested},
        subscription::SubscriptionStatus::{self, Active, Cancelled, PastDue, Paused, Trialing, Unpaid},
        time::Timestamp,
    },
    projections::{
        FigureInterval,
        mrr::{
            self, AccountPartCursor, MovementSelection, Mrr, RiskSelection,
            churn::{ChurnCause, ChurnClass},
        },
    },
};
use sqlx::PgPool;

use super::{
    Following, append, opened,
    paid_story::{CURRENCIES, Moved, Told, accounts, at_risk, begin, cause, day, moved, story, worth},
    reported,
};
use crate::support::database::TestDatabase;

fn id(text: &str) -> ProviderId {
    ProviderId::parse(text).unwrap()
}

fn hours(number: i64) -> Timestamp {
    begin().plus(TimeDelta::hours(number))
}

/// A report that is changed before it is told.
fn with(status: SubscriptionStatus, at: i64, change: impl Fn(&mut Event)) -> Event {
    let mut event = reported(1_000, status, hours(at));
    change(&mut event);
    event
}

fn report(status: SubscriptionStatus, at: i64) -> Event {
    with(status, at, |_| ())
}

fn set_to_end(event: &mut Event) {
    let Event::Subscription(SubscriptionEvent::PlanChanged { terms, .. }) = event else {
        unreachable!("it is a report")
    };
    terms.cancel_at = Some(hours(1_000));
}

fn requested(requested: Requested, at: i64) -> Event {
    let subscription = id("sub_1");
    Event::Notice(NoticeEvent::SubscriptionChangeRequested {
        subscription,
        requested,
        effective_at: hours(at),
    })
}

fn given_up(at: i64) -> Event {
    let invoice = UnpaidInvoice {
        invoice: id("in_1"),
        subscription: id("sub_1"),
        state: InvoiceState::Uncollectible,
        is_change: false,
        charges: Vec::new(),
        from_balance: 0,
        finalized_at: None,
    };
    Event::Invoice(InvoiceEvent::InvoiceUnpaid { invoice, effective_at: hours(at) })
}

/// What happened, and why it is churn.
fn cases() -> Vec<(&'static str, Vec<Event>, ChurnCause)> {
    let cancel = || Requested::Cancel { at: CancelAt::Now };
    vec![
        ("ended at once while paid", vec![report(Active, 0), report(Cancelled, 50)], ChurnCause::Cancelled),
        (
            "ended as it was set to",
            vec![report(Active, 0), with(Active, 30, set_to_end), report(Cancelled, 90)],
            ChurnCause::Cancelled,
        ),
        (
            "past due, and set to end by whoever has it",
            vec![report(Active, 0), with(PastDue, 30, set_to_end), report(Cancelled, 90)],
            ChurnCause::Cancelled,
        ),
        (
            "ended for want of payment",
            vec![report(Active, 0), report(PastDue, 30), report(Cancelled, 90)],
            ChurnCause::Unpaid,
        ),
        (
            "past due, and cancelled on request, which is known later than the end",
            vec![report(Active, 0), report(PastDue, 30), report(Cancelled, 90), requested(cancel(), 91)],
            ChurnCause::Cancelled,
        ),
        (
            "a request that was withdrawn is none",
            vec![
                report(Active, 0),
                requested(cancel(), 10),
                requested(Requested::WithdrawCancellation, 20),
                requested(Requested::Pause, 21),
                report(PastDue, 30),
                report(Cancelled, 90),
            ],
            ChurnCause::Unpaid,
        ),
        (
            "goes on unpaid",
            vec![report(Active, 0), report(PastDue, 30), report(Unpaid, 90)],
            ChurnCause::Unpaid,
        ),
        ("an invoice is given up", vec![report(Active, 0), given_up(60)], ChurnCause::Unpaid),
        ("paused", vec![report(Active, 0), report(Paused, 60)], ChurnCause::Paused),
        (
            "its invoices are not collected",
            vec![
                report(Active, 0),
                with(Active, 60, |event| {
                    let Event::Subscription(SubscriptionEvent::PlanChanged { terms, .. }) = event else {
                        return;
                    };
                    terms.collection_paused = true;
                }),
            ],
            ChurnCause::Paused,
        ),
        (
            "another account has it",
            vec![
                report(Active, 0),
                with(Cancelled, 60, |event| {
                    let Event::Subscription(SubscriptionEvent::SubscriptionEnded { terms, .. }) = event
                    else {
                        return;
                    };
                    (terms.ended_at, terms.moved_to) = (None, Some(AccountId::parse("other").unwrap()));
                }),
            ],
            ChurnCause::Moved,
        ),
        (
            "nothing is charged any more",
            vec![
                report(Active, 0),
                with(Active, 60, |event| {
                    let Event::Subscription(SubscriptionEvent::PlanChanged { terms, .. }) = event else {
                        return;
                    };
                    terms.monthly.minor = 0;
                }),
            ],
            ChurnCause::Uncharged,
        ),
        ("a trial begins", vec![report(Active, 0), report(Trialing, 60)], ChurnCause::Uncharged),
    ]
}

#[tokio::test]
async fn each_way_to_stop_paying_has_its_cause() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    for (number, (_, events, _)) in cases().into_iter().enumerate() {
        let account = format!("account-{number}");
        append(&pool, &account, &opened(begin()), begin(), 0).await;
        // What is last in the list may have been known first.
        let told: Vec<_> = if number % 2 == 0 { events } else { events.into_iter().rev().collect() };
        for event in told {
            append(&pool, &account, &event, event.effective_at(), 0).await;
            following.caught_up(&pool).await;
        }
    }
    let all = mrr::movements(&pool, MovementSelection::days(day(0), day(99)), None, 100).await.unwrap();
    assert!(all.iter().all(|row| (row.kind == "churn") == row.cause.is_some()));
    for (number, (what, _, cause)) in cases().into_iter().enumerate() {
        let own = all.iter().filter(|row| row.account_id == format!("account-{number}"));
        let causes: Vec<_> = own.filter_map(|row| row.cause.as_deref()).collect();
        assert_eq!(causes, [cause.name()], "{what}");
    }
    assert_eq!(mrr::at_risk(&pool, None).await.unwrap(), [], "all of them have stopped");
    following.assert_rebuild_finds_the_same().await;
}

/// Accounts that paid at the start of some days and stopped in them, with the first time and why.
fn churned(
    told: &[Told],
    moved: &[Moved],
    currency: &str,
    days: (NaiveDate, NaiveDate),
) -> Vec<(String, NaiveDate, &'static str)> {
    let before = days.0.pred_opt().unwrap();
    let first = |account: &&str| {
        let own = moved.iter().filter(|moved| moved.account == *account && moved.currency == currency);
        own.filter(|moved| moved.kind == "churn").find(|moved| moved.day >= days.0 && moved.day <= days.1)
    };
    let paid = accounts(told).into_iter().filter(|account| worth(told, account, currency, before) > 0);
    let stopped = paid.filter_map(|account| first(&account).map(|of| (account, of)));
    stopped.map(|(account, of)| (account.to_owned(), of.day, cause(told, of))).collect()
}

/// All rows, two a page, by account.
async fn churn_rows(
    pool: &PgPool,
    (from, until): (NaiveDate, NaiveDate),
    currency: &Currency,
    causes: Option<&[ChurnCause]>,
) -> Vec<(String, NaiveDate, String)> {
    let (mut all, mut after): (Vec<_>, Option<AccountPartCursor>) = (Vec::new(), None);
    loop {
        let wanted = (Some(currency), causes);
        let page = mrr::churned(pool, (from, until), wanted, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        all.extend(page.into_iter().map(|row| (row.account_id, row.churned_on, row.cause)));
    }
    all.sort();
    all
}

async fn agrees(pool: &PgPool, told: &[Told], moved: &[Moved], intervals: &[(NaiveDate, NaiveDate)]) {
    let revenue = mrr::revenue_churned(pool, intervals, None).await.unwrap();
    let accounts = mrr::accounts_churned(pool, intervals, None).await.unwrap();
    let (mut sums, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for (place, (first, until)) in intervals.iter().enumerate() {
        let place = i32::try_from(place).unwrap();
        let last = until.pred_opt().unwrap();
        let in_days = |of: &&Moved| of.kind == "churn" && of.day >= *first && of.day <= last;
        for of in moved.iter().filter(in_days) {
            let sum: &mut (i64, i64) = sums.entry((place, of.currency.clone(), cause(told, of))).or_default();
            *sum = (sum.0 - of.before, sum.1 + 1);
        }
        for currency in CURRENCIES {
            for (_, _, cause) in churned(told, moved, currency, (*first, last)) {
                *counts.entry((place, currency.to_owned(), cause)).or_default() += 1_i64;
            }
        }
    }
    let key = |place: i32, currency: String, cause: &str| {
        (place, currency, ChurnCause::parse(cause).unwrap().name())
    };
    let seen: BTreeMap<_, _> = revenue
        .into_iter()
        .map(|row| (key(row.place, row.currency, &row.cause), (row.amount, row.count)))
        .collect();
    assert_eq!(seen, sums);
    let seen: BTreeMap<_, _> =
        accounts.into_iter().map(|row| (key(row.place, row.currency, &row.cause), row.accounts)).collect();
    assert_eq!(seen, counts);
}

#[tokio::test]
async fn churn_agrees_with_a_plain_count_and_leads_to_its_rows() {
    let mut causes = BTreeSet::new();
    for seed in 1..4 {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
        let told = story(&pool, seed, 160).await;
        following.caught_up(&pool).await;
        let moved = moved(&told);
        causes.extend(moved.iter().filter(|of| of.kind == "churn").map(|of| cause(&told, of)));
        for interval in
            [FigureInterval::Day, FigureInterval::Week, FigureInterval::Month, FigureInterval::Year]
        {
            agrees(&pool, &told, &moved, &interval.of_days(day(3), day(121))).await;
        }
        for known in CURRENCIES {
            let currency = Currency::parse(known).unwrap();
            for days in [(day(20), day(60)), (day(60), day(121))] {
                let expected = churned(&told, &moved, known, (days.0, days.1.pred_opt().unwrap()));
                let named = |of: &(String, NaiveDate, &'static str)| (of.0.clone(), of.1, of.2.to_owned());
                let all: Vec<_> = expected.iter().map(named).collect();
                assert_eq!(churn_rows(&pool, days, &currency, None).await, all);
                for class in [ChurnClass::Voluntary, ChurnClass::Involuntary, ChurnClass::Other] {
                    let own = class.causes();
                    let is_own =
                        |of: &&(String, NaiveDate, &str)| own.iter().any(|cause| cause.name() == of.2);
                    let of_class: Vec<_> = expected.iter().filter(is_own).map(named).collect();
                    assert_eq!(churn_rows(&pool, days, &currency, Some(&own)).await, of_class, "{class:?}");
                }
            }
        }
        assert_at_risk(&pool, &told).await;
        following.assert_rebuild_finds_the_same().await;
    }
    assert_eq!(causes, BTreeSet::from(["cancelled", "paused", "unpaid"]), "each of them happened");
}

async fn assert_at_risk(pool: &PgPool, told: &[Told]) {
    let expected = at_risk(told);
    assert!(expected.iter().any(|of| of.4) && expected.iter().any(|of| of.5), "there are some of both");
    let (mut rows, mut after): (Vec<_>, Option<AccountPartCursor>) = (Vec::new(), None);
    loop {
        let page = mrr::at_risk_rows(pool, RiskSelection::default(), after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        rows.extend(page);
    }
    rows.sort_by_key(|row| (row.account_id.clone(), row.subscription.clone()));
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.account_id.as_str(),
                row.subscription.as_str(),
                row.currency.as_str(),
                row.mrr,
                row.past_due,
                row.cancel_at.is_some(),
            )
        })
        .collect();
    let listed: Vec<_> =
        expected.iter().map(|of| (of.0.as_str(), of.1.as_str(), of.2, of.3, of.4, of.5)).collect();
    assert_eq!(seen, listed);
    for sum in mrr::at_risk(pool, None).await.unwrap() {
        let of = |wanted: fn(&(bool, bool)) -> bool| {
            let own = expected.iter().filter(|of| of.2 == sum.currency && wanted(&(of.4, of.5)));
            let accounts: BTreeSet<&str> = own.clone().map(|of| of.0.as_str()).collect();
            (own.map(|of| of.3).sum::<i64>(), i64::try_from(accounts.len()).unwrap())
        };
        assert_eq!((sum.mrr, sum.accounts), of(|_| true), "{sum:?}");
        assert_eq!((sum.mrr_past_due, sum.accounts_past_due), of(|(is_due, _)| *is_due), "{sum:?}");
        assert_eq!((sum.mrr_set_to_end, sum.accounts_set_to_end), of(|(_, is_set)| *is_set), "{sum:?}");
    }
}
