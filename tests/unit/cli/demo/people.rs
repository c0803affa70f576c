//! Are the people of a demonstration the same in each run, and do they look like customers of a business?

use std::path::Path;

use chrono::NaiveDate;

use super::*;
use crate::{
    catalog::{self, Mode},
    cli::demo::deeds::{Card, SLOTS},
};

const YEAR: u32 = 365;

fn offer(catalog: &str) -> Offer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogs").join(format!("{catalog}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    Offer::of(&catalog::parse_before_setup(&text, &|_| None, Mode::Test).unwrap())
}

fn year(seed: u64, accounts: u32) -> Demand {
    Demand { seed, accounts, begin: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), days: YEAR }
}

fn count(people: &People, is_meant: impl Fn(&Deed) -> bool) -> usize {
    people.0.iter().flat_map(|person| &person.acts).filter(|act| is_meant(&act.deed)).count()
}

fn with(people: &People, highlight: Highlight) -> usize {
    people.0.iter().filter(|person| person.highlights.contains(&highlight)).count()
}

fn is_good(deed: &Deed) -> bool {
    matches!(deed, Deed::Subscribe { card: Card::Good, .. })
}

/// The days on which somebody has a plan that they pay for, as their acts say.
fn paying_days(person: &Person) -> u32 {
    let (mut days, mut since) = (0, None);
    for act in &person.acts {
        if is_good(&act.deed) {
            since = Some(act.slot.day);
        } else if matches!(act.deed, Deed::Cancel { .. }) {
            days += act.slot.day - since.take().unwrap_or(act.slot.day);
        }
    }
    days + since.map_or(0, |since| YEAR - since)
}

#[test]
fn the_people_of_a_seed_are_the_same_in_each_run() {
    let offer = offer("music");
    assert_eq!(People::of(&offer, year(1, 60)), People::of(&offer, year(1, 60)));
    assert_ne!(People::of(&offer, year(1, 60)), People::of(&offer, year(2, 60)));
    // Whoever comes later changes nothing for those before; only who uses the most may be another one.
    let (few, many) = (People::of(&offer, year(1, 60)), People::of(&offer, year(1, 90)));
    assert!(few.0.iter().zip(&many.0).all(|(one, other)| one.acts == other.acts));
}

#[test]
fn they_look_like_customers_of_a_business() {
    let mut came_back = 0;
    for seed in 1..=6 {
        let people = People::of(&offer("music"), year(seed, 400));
        let subscribed = people.0.iter().filter(|person| person.acts.iter().any(|act| is_good(&act.deed)));
        let subscribed = subscribed.count();
        assert!((160..=260).contains(&subscribed), "{seed}: {subscribed} of 400 have subscribed");

        let months: u32 = people.0.iter().map(paying_days).sum::<u32>() / 30;
        let left =
            count(&people, |deed| matches!(deed, Deed::Cancel { .. })) + with(&people, Highlight::NeverPaid);
        let churn = 1_000 * left / usize::try_from(months).unwrap();
        assert!((10..=100).contains(&churn), "{seed}: {churn} of a thousand left in a month");

        let declined = count(&people, |deed| {
            let (Deed::Subscribe { card, .. } | Deed::Buy { card, .. } | Deed::UseCard(card)) = deed else {
                return false;
            };
            *card != Card::Good
        });
        assert!((20..=90).contains(&declined), "{seed}: {declined} cards do not work");
        let disputed = count(&people, |deed| *deed == Deed::Dispute);
        assert!((1..=7).contains(&disputed), "{seed}: {disputed} disputes");
        for highlight in [
            Highlight::PaidInTheEnd,
            Highlight::NeverPaid,
            Highlight::Upgraded,
            Highlight::ByYear,
            Highlight::GrewQuiet,
        ] {
            assert!(with(&people, highlight) > 0, "{seed}: nobody has {highlight:?}");
        }
        assert_eq!(with(&people, Highlight::Heaviest), 1);
        came_back += with(&people, Highlight::CameBack);
        let packs = count(&people, |deed| matches!(deed, Deed::Buy { .. }));
        assert!((30..=1_000).contains(&packs), "{seed}: {packs} packs");
    }
    assert!(came_back > 6, "{came_back} have left and come back");
}

#[test]
fn more_arrive_as_time_goes_on_and_less_is_made_on_weekends() {
    let people = People::of(&offer("music"), year(1, 400));
    let arrived: Vec<u32> = people.0.iter().map(|person| person.acts[0].slot.day).collect();
    let early = arrived.iter().filter(|day| **day < YEAR / 2).count();
    assert!(early > 80 && early < 190, "{early} of 400 came in the first half");

    let mut by_weekday = [0_u32; 7];
    for act in people.0.iter().flat_map(|person| &person.acts) {
        // The first of January 2026 is a Thursday.
        by_weekday[usize::try_from((act.slot.day + 3) % 7).unwrap()] += 1;
    }
    assert!(by_weekday[1] > by_weekday[5] && by_weekday[2] > by_weekday[6], "{by_weekday:?}");
    let night = people.acts().iter().filter(|(slot, ..)| slot.part == 1).count();
    let day = people.acts().iter().filter(|(slot, ..)| slot.part == 4).count();
    assert!(night * 20 < day, "{night} at night, {day} at noon");
}

#[test]
fn each_year_begins_with_an_arrival_and_is_in_order() {
    for catalog in ["music", "promptforge", "localboxs", "guide"] {
        let people = People::of(&offer(catalog), year(3, 200));
        for person in &people.0 {
            assert_eq!(person.acts[0].deed, Deed::Arrive, "{}", person.account);
            assert!(person.acts.is_sorted_by_key(|act| act.slot));
            assert!(person.acts.iter().all(|act| act.slot.day < YEAR && act.slot.part < SLOTS));
        }
        let acts = people.acts();
        assert!(acts.is_sorted_by_key(|(slot, ..)| *slot));
        let seconds: Vec<i64> = acts.iter().map(|(slot, ..)| year(3, 200).second(*slot)).collect();
        assert!(seconds.is_sorted(), "{catalog}");
        assert!(count(&people, is_good) > 50, "{catalog}");
        assert!(count(&people, |deed| matches!(deed, Deed::Make { .. })) > 1_000, "{catalog}");
    }
}

#[test]
fn where_the_catalog_has_trials_some_stay_and_some_do_not() {
    let people = People::of(&offer("promptforge"), year(1, 400));
    let (won, lost) = (with(&people, Highlight::TrialWon), with(&people, Highlight::TrialLost));
    let won_percent = 100 * won / (won + lost);
    assert!((35..=80).contains(&won_percent), "{won} stayed, {lost} left");
    let music = People::of(&offer("music"), year(1, 400));
    assert_eq!(count(&music, |deed| matches!(deed, Deed::Subscribe { trial: true, .. })), 0);
}
