//! A coupon that pays a part, or all of it, once or for ever.

use super::{LATER, ends_right};
use crate::{
    functions::truth::story::{
        DAY,
        Plan::{Basic, Creator},
        Story, monthly, yearly,
    },
    support::catalogs,
};

siblings! {
    a_coupon_once_pays_the_first_month: [|it| it.coupon(100, "once").subscribe(monthly(Basic)), Story::renew]
    up_under_a_coupon_that_paid_it_all: [
        |it| it.coupon(100, "once").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    up_under_half_off_for_ever: [
        |it| it.coupon(50, "forever").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    down_under_a_coupon_that_pays_all_for_ever: [
        |it| it.coupon(100, "forever").subscribe(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    down_under_half_off_once: [
        |it| it.coupon(50, "once").subscribe(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    a_month_becomes_a_year_under_a_coupon_that_paid_it_all: [
        |it| it.coupon(100, "once").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(35 * DAY),
    ]
}
