//! How long do credits last at a constant use, and which of them end before they are used?

use chrono::TimeDelta;
use domain::{
    credits::Wallet,
    runway::{Runway, runway},
    time::Timestamp,
};

use crate::builders::{
    catalog::credits,
    scenario::given,
    words::{day, granted, granted_forever, opened},
};

/// A wallet of grants, each with its amount and the day on which it ends.
fn wallet(grants: &[(i64, Option<i64>)]) -> Wallet {
    let grants = grants.iter().enumerate().map(|(number, (amount, ends))| {
        let id = format!("grant-{number}");
        match ends {
            Some(days) => granted(&id, *amount, after(*days)),
            None => granted_forever(&id, *amount),
        }
    });
    given(std::iter::once(opened()).chain(grants)).open().wallet.clone()
}

fn after(days: i64) -> Timestamp {
    day(0).plus(TimeDelta::days(days))
}

fn lasts(grants: &[(i64, Option<i64>)], used_a_week: i64) -> Runway {
    runway(&wallet(grants), credits(used_a_week), day(0))
}

fn expected(empty_at: Option<Timestamp>, ending: i64, unused: i64) -> Runway {
    Runway { empty_at, ending: credits(ending), ending_unused: credits(unused) }
}

#[test]
fn credits_last_for_what_is_there_divided_by_the_daily_use() {
    assert_eq!(lasts(&[(100, None)], 70), expected(Some(after(10)), 0, 0));
    assert_eq!(lasts(&[(100, None)], 0), expected(None, 0, 0), "for ever, if nothing is used");
    assert_eq!(lasts(&[], 70), expected(Some(day(0)), 0, 0), "nothing is left already");
}

#[test]
fn credits_that_end_before_their_turn_are_lost() {
    // 10 a day: 50 of the first 80 are used in 5 days, and the others then last for 2 days.
    assert_eq!(lasts(&[(80, Some(5)), (20, None)], 70), expected(Some(after(7)), 80, 30));
    // All that ends is used before it does.
    assert_eq!(lasts(&[(50, Some(5)), (20, Some(40))], 70), expected(Some(after(7)), 50, 0));
    // Both end on the same day: the second one has had no turn.
    assert_eq!(lasts(&[(80, Some(5)), (20, Some(5))], 70), expected(Some(after(5)), 100, 50));
    // Without any use, all ends.
    assert_eq!(lasts(&[(80, Some(5)), (20, Some(9))], 0), expected(Some(after(9)), 100, 100));
}
