//! Do the figures of credits agree with a plain count of all events, in any interval and time zone, whatever was late?

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use counterfoil::{
    domain::{
        credits::Source,
        event::{CreditsEvent, Draw, Event, HoldEvent, Purpose},
        ids::{DeductionId, GenerationType, GrantId, HoldId, ProviderId},
        recorded::Shard,
        statement::LineKind,
        time::{Timestamp, start_of_day},
    },
    projections::{
        FigureInterval,
        credits::{
            self, CreditCell, CreditStock, CreditsProjection, Spans, flows, restated_since, rows,
            stock_before,
        },
        usage::UsageProjection,
    },
};
use sqlx::PgPool;

use super::{Following, append, granted, numbers::Numbers, opened, time};
use crate::support::{database::TestDatabase, ledger::credits as amount, shards};

/// What an event changes: the type of line, the type of generation, and the signed amounts.
type Change = (&'static str, &'static str, CreditStock);

struct Told {
    account: String,
    at: Timestamp,
    changes: Vec<Change>,
}

const fn stock(available: i128, held: i128, debt: i128) -> CreditStock {
    CreditStock { available, held, debt }
}

fn draws(number: i64) -> Vec<Draw> {
    vec![Draw { grant_id: GrantId::parse("bonus").unwrap(), amount: amount(number) }]
}

fn purpose(kind: &str) -> Purpose {
    match kind {
        "" => Purpose::default(),
        kind => Purpose::Generation {
            id: None,
            kind: GenerationType::parse(kind).unwrap(),
            options: BTreeMap::default(),
        },
    }
}

/// Some event, and what it changes by the rules as people read them.
fn event(numbers: &mut Numbers, at: Timestamp) -> (Event, Vec<Change>) {
    let number = i64::try_from(numbers.below(500)).unwrap() + 1;
    let n = i128::from(number);
    let kind = *["", "image", "song"].get(usize::try_from(numbers.below(3)).unwrap()).unwrap();
    let grant_id = GrantId::parse("bonus").unwrap();
    let hold_id = HoldId::parse("hold").unwrap();
    let payment = ProviderId::parse("pi_1").unwrap();
    match numbers.below(12) {
        0 => (granted(number, at), vec![("bonus", "", stock(n, 0, 0))]),
        1 => {
            let Event::Credits(CreditsEvent::CreditsGranted { mut grant, .. }) = granted(number, at) else {
                unreachable!("it is a grant")
            };
            grant.source = Source::TopUp;
            let event = CreditsEvent::CreditsGranted { grant, purpose: None, effective_at: at };
            (Event::Credits(event), vec![("top_up", "", stock(n, 0, 0))])
        }
        2 => {
            let event = CreditsEvent::CreditsExpired { grant_id, amount: amount(number), effective_at: at };
            (Event::Credits(event), vec![("expiry", "", stock(-n, 0, 0))])
        }
        3 => {
            let event = HoldEvent::CreditsHeld {
                hold_id,
                amount: amount(number),
                draws: draws(number),
                order: "burn/v1".to_owned(),
                purpose: purpose(kind),
                windows: Vec::new(),
                expires_at: at.plus(TimeDelta::hours(1)),
                effective_at: at,
            };
            (Event::Hold(event), vec![("hold", kind, stock(-n, n, 0))])
        }
        4 => {
            let event = HoldEvent::HoldCommitted {
                hold_id,
                amount: amount(number),
                draws: draws(number),
                returns: draws(3),
                shortfall: amount(0),
                purpose: purpose(kind),
                windows: None,
                effective_at: at,
            };
            let returned = ("hold_returned", kind, stock(n + 3, -n - 3, 0));
            (Event::Hold(event), vec![returned, ("usage", kind, stock(-n, 0, 0))])
        }
        5 => {
            let event = CreditsEvent::CreditsClawedBack {
                payment,
                grant_id,
                voided: amount(number),
                expired: amount(0),
                owed: amount(7),
                forgiven: amount(0),
                effective_at: at,
            };
            (Event::Credits(event), vec![("clawback", "", stock(-n, 0, 7))])
        }
        6 => {
            let event = CreditsEvent::DebtPaid { grant_id, amount: amount(number), effective_at: at };
            (Event::Credits(event), vec![("debt_paid", "", stock(-n, 0, -n))])
        }
        7 => {
            let ends_at = at.plus(TimeDelta::days(1));
            let revived = amount(number);
            let event = CreditsEvent::GrantEndMoved { grant_id, ends_at, revived, effective_at: at };
            (Event::Credits(event), vec![("expiry_reversed", "", stock(n, 0, 0))])
        }
        8 => {
            let dispute = ProviderId::parse("dp_1").unwrap();
            (Event::Credits(CreditsEvent::GrantFrozen { grant_id, dispute, effective_at: at }), Vec::new())
        }
        9 => {
            let event = CreditsEvent::CreditsRefunded {
                deduction_id: DeductionId::parse("ded_1").unwrap(),
                amount: amount(number + 5),
                returns: draws(number),
                reissued: draws(5),
                reason: "it failed".to_owned(),
                purpose: purpose(kind),
                windows: Vec::new(),
                effective_at: at,
            };
            (Event::Credits(event), vec![("refund", kind, stock(n, 0, 0))])
        }
        _ => {
            let event = CreditsEvent::CreditsDeducted {
                deduction_id: DeductionId::parse("ded_1").unwrap(),
                amount: amount(number),
                draws: draws(number),
                order: "burn/v1".into(),
                purpose: purpose(kind),
                windows: Vec::new(),
                effective_at: at,
            };
            (Event::Credits(event), vec![("usage", kind, stock(-n, 0, 0))])
        }
    }
}

/// Events of five accounts in forty days, some of them recorded days later.
async fn story(pool: &PgPool, seed: u64) -> Vec<Told> {
    let (mut numbers, begin) = (Numbers(seed), time("2027-03-01T00:00:00Z"));
    let mut told = Vec::new();
    for number in 0..5 {
        append(pool, &format!("account-{number}"), &opened(begin), begin, 0).await;
    }
    for _ in 0..300 {
        let account = format!("account-{}", numbers.below(5));
        let seconds = i64::try_from(numbers.below(40 * 86_400)).unwrap();
        let at = begin.plus(TimeDelta::seconds(seconds));
        let late = if numbers.below(5) == 0 { TimeDelta::days(2) } else { TimeDelta::zero() };
        let (event, changes) = event(&mut numbers, at);
        append(pool, &account, &event, at.plus(late), 0).await;
        told.push(Told { account, at, changes });
    }
    told
}

/// By type of line and type of generation: how many, and how much.
type Sums = BTreeMap<(String, String), (i64, CreditStock)>;

/// Of all events in the days from `from` until before `until`.
fn counted(
    told: &[Told],
    until: Timestamp,
    from: Option<Timestamp>,
) -> impl Iterator<Item = (&Told, Change)> {
    told.iter()
        .filter(move |told| from.is_none_or(|from| told.at >= from) && told.at < until)
        .flat_map(|told| told.changes.iter().map(move |change| (told, *change)))
}

fn added(changes: impl Iterator<Item = Change>) -> Sums {
    let mut sums = Sums::new();
    for (kind, generation_type, change) in changes {
        let sum = sums.entry((kind.to_owned(), generation_type.to_owned())).or_default();
        *sum = (sum.0 + 1, sum.1.plus(change));
    }
    sums
}

/// All accounts of a figure, two a page.
async fn all_rows(pool: &PgPool, cell: &CreditCell) -> BTreeMap<String, (i64, CreditStock)> {
    let mut connection = pool.acquire().await.unwrap();
    let mut all = BTreeMap::new();
    let mut after: Option<(Shard, String)> = None;
    loop {
        let place = after.as_ref().map(|(shard, account)| (*shard, account.as_str()));
        let page = rows(&mut connection, cell, place, 2).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some((shards::shard_of(pool, &last.account_id).await, last.account_id.clone()));
        all.extend(page.into_iter().map(|row| (row.account_id, (row.count, row.change))));
    }
}

fn by_account<'a>(changes: impl Iterator<Item = (&'a Told, Change)>) -> BTreeMap<String, (i64, CreditStock)> {
    let mut all: BTreeMap<String, (i64, CreditStock)> = BTreeMap::new();
    for (told, (_, _, change)) in changes {
        let sum = all.entry(told.account.clone()).or_default();
        *sum = (sum.0 + 1, sum.1.plus(change));
    }
    all
}

async fn agrees(
    pool: &PgPool,
    told: &[Told],
    interval: FigureInterval,
    zone: Tz,
    from: NaiveDate,
    until: NaiveDate,
) {
    let spans = Spans::of(from, until, interval, zone);
    let mut connection = pool.acquire().await.unwrap();
    let mut all = flows(&mut connection, &spans).await.unwrap().into_iter().peekable();
    let opening = stock_before(&mut connection, &spans).await.unwrap();
    let before = counted(told, start_of_day(from, zone), None)
        .fold(CreditStock::default(), |sum, (_, (_, _, change))| sum.plus(change));
    assert_eq!(opening, before, "{interval:?} {zone} {from}");
    let ends = spans.starts.iter().skip(1).copied().chain([until]);
    for (place, (start, end)) in spans.starts.iter().copied().zip(ends).enumerate() {
        let (begin, end) = (start_of_day(start, zone), start_of_day(end, zone));
        let mut own = Sums::new();
        while let Some(flow) = all.next_if(|flow| flow.place == place) {
            own.insert((flow.kind, flow.generation_type), (flow.count, flow.change));
        }
        let expected = added(counted(told, end, Some(begin)).map(|(_, change)| change));
        assert_eq!(own, expected, "{interval:?} {zone} {start}");
        if interval == FigureInterval::Month {
            for (kind, generation_type) in own.into_keys() {
                let cell = CreditCell {
                    from: Some(begin),
                    until: end,
                    kind: Some(serde_json::from_value::<LineKind>(kind.clone().into()).unwrap()),
                    generation_type: Some(generation_type.clone()),
                };
                let of_cell = counted(told, end, Some(begin))
                    .filter(|(_, change)| (change.0, change.1) == (&*kind, &*generation_type));
                assert_eq!(all_rows(pool, &cell).await, by_account(of_cell), "{zone} {start} {kind}");
            }
        }
    }
    assert!(all.next().is_none());
}

#[tokio::test]
async fn figures_of_credits_agree_with_a_plain_count() {
    for seed in 1..4 {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        let told = story(&pool, seed).await;
        let following =
            Following::start(pool.clone(), vec![Arc::new(CreditsProjection), Arc::new(UsageProjection)])
                .await;
        following.caught_up(&pool).await;
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for zone in [
            Tz::UTC,
            Tz::Europe__Berlin,
            Tz::America__Los_Angeles,
            Tz::Asia__Kathmandu,
            Tz::Australia__Lord_Howe,
        ] {
            for interval in [
                FigureInterval::Day,
                FigureInterval::Week,
                FigureInterval::Month,
                FigureInterval::Quarter,
                FigureInterval::Year,
            ] {
                for (from, until) in
                    [("2027-03-10", "2027-04-05"), ("2027-02-01", "2027-05-01"), ("2027-03-28", "2027-03-29")]
                {
                    agrees(&pool, &told, interval, zone, day(from), day(until)).await;
                }
            }
        }
        let whole =
            CreditCell { from: None, until: time("2027-06-01T00:00:00Z"), kind: None, generation_type: None };
        let expected = by_account(counted(&told, whole.until, None));
        assert_eq!(all_rows(&pool, &whole).await, expected);
        following.assert_rebuild_finds_the_same().await;
    }
}

/// A day says when it was changed after it was over, and only then.
#[tokio::test]
async fn a_day_that_was_over_says_when_it_was_changed() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let (day, late) = (time("2027-03-10T23:59:59Z"), time("2027-03-12T08:00:00Z"));
    append(&pool, "acme", &opened(day), day, 0).await;
    append(&pool, "acme", &granted(5, day), day, 5).await;
    let following = Following::start(pool.clone(), vec![Arc::new(CreditsProjection)]).await;
    following.caught_up(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let of = |from: &str| {
        Spans::of(
            date(from),
            date(from).checked_add_days(Days::new(1)).unwrap(),
            FigureInterval::Day,
            Tz::UTC,
        )
    };
    assert_eq!(restated_since(&mut connection, &of("2027-03-10")).await.unwrap(), None);
    append(&pool, "acme", &granted(7, day), late, 12).await;
    following.caught_up(&pool).await;
    assert_eq!(restated_since(&mut connection, &of("2027-03-10")).await.unwrap(), Some(late));
    assert_eq!(restated_since(&mut connection, &of("2027-03-11")).await.unwrap(), None);
    let flows = credits::flows(&mut connection, &of("2027-03-10")).await.unwrap();
    assert_eq!(flows.first().map(|flow| flow.change.available), Some(12));
}
