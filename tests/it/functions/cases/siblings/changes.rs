//! Changes of plan, seats and interval, billed at once, later, or not at all.

use super::{LATER, ends_right};
use crate::{
    functions::truth::story::{
        DAY,
        Plan::{Basic, Creator, Team},
        Story, monthly, yearly,
    },
    support::catalogs,
};

siblings! {
    up: [|it| it.subscribe(monthly(Basic)), |it| it.after(LATER).change(monthly(Creator)), Story::renew]
    up_twice: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Team)),
        Story::renew,
    ]
    down_at_once: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).change(monthly(Basic)), Story::renew]
    down_twice: [
        |it| it.subscribe(monthly(Team)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    up_and_down_again: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Team)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    down_and_up_again: [
        |it| it.subscribe(monthly(Team)),
        |it| it.after(LATER).change(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Team)),
        Story::renew,
    ]
    up_in_the_second_month: [
        |it| it.subscribe(monthly(Basic)),
        Story::renew,
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    down_in_the_second_month: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    seats_up: [
        |it| it.subscribe(monthly(Basic).seats(3)),
        |it| it.after(LATER).change(monthly(Basic).seats(7)),
        Story::renew,
    ]
    seats_down: [
        |it| it.subscribe(monthly(Basic).seats(7)),
        |it| it.after(LATER).change(monthly(Basic).seats(3)),
        Story::renew,
    ]
    a_larger_plan_with_fewer_seats: [
        |it| it.subscribe(monthly(Basic).seats(8)),
        |it| it.after(LATER).change(monthly(Creator).seats(2)),
        Story::renew,
    ]
    a_smaller_plan_with_more_seats: [
        |it| it.subscribe(monthly(Creator).seats(2)),
        |it| it.after(LATER).change(monthly(Basic).seats(9)),
        Story::renew,
    ]
    a_month_becomes_a_year: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(35 * DAY),
        |it| it.after(200 * DAY),
    ]
    a_month_becomes_a_year_as_it_begins: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(0).change(yearly(Basic)),
        |it| it.after(35 * DAY),
    ]
    a_month_becomes_a_year_of_a_larger_plan: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Creator)),
        |it| it.after(35 * DAY),
    ]
    a_year_becomes_a_month: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY + 12_345),
        |it| it.change(monthly(Creator)),
        Story::renew,
    ]
    a_year_becomes_a_month_of_a_smaller_plan: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change(monthly(Basic)),
        Story::renew,
    ]
    a_year_goes_up: [
        |it| it.subscribe(yearly(Basic)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Creator)),
        |it| it.after(31 * DAY),
        |it| it.after(100 * DAY),
    ]
    a_year_goes_down: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Basic)),
        |it| it.after(31 * DAY),
        |it| it.after(100 * DAY),
    ]
    seats_of_a_year_go_down: [
        |it| it.subscribe(yearly(Basic).seats(5)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Basic).seats(2)),
        |it| it.after(31 * DAY),
    ]
    a_year_goes_down_and_nobody_bills_it: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change_unbilled(yearly(Basic)),
        |it| it.after(31 * DAY),
    ]
    down_and_nobody_bills_it: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change_unbilled(monthly(Basic)),
        Story::renew,
    ]
    seats_down_and_nobody_bills_it: [
        |it| it.subscribe(monthly(Basic).seats(5)),
        |it| it.after(LATER).change_unbilled(monthly(Basic).seats(2)),
        Story::renew,
    ]
    down_unbilled_and_back: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change_unbilled(monthly(Basic)),
        |it| it.after(LATER).change_back(),
        Story::renew,
    ]
    up_and_the_renewal_bills_it: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change_billed_later(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER),
        Story::renew,
    ]
    seats_up_and_the_renewal_bills_them: [
        |it| it.subscribe(monthly(Basic).seats(2)),
        |it| it.after(LATER).change_billed_later(monthly(Basic).seats(5)),
        Story::renew,
        Story::renew,
    ]
}

siblings! {
    a_year_becomes_a_month_three_days_before_one_of_its_months_ends: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(28 * DAY).change(monthly(Creator)),
        Story::renew,
    ]
    a_year_becomes_a_month_of_as_many_credits: [
        |it| it.subscribe(yearly(Basic).seats(3)),
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    a_month_becomes_a_year_three_days_before_it_ends: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(28 * DAY).change(yearly(Creator)),
        |it| it.after(2 * DAY),
        |it| it.after(5 * DAY),
    ]
    a_year_that_became_a_month_gives_nothing_more_when_that_ends: [
        |it| it.subscribe(yearly(Basic).seats(3)),
        |it| it.after(28 * DAY).change(monthly(Creator)),
        |it| it.renew().renew().cancel_at_end(),
        Story::end,
        |it| it.after(40 * DAY),
        |it| it.after(100 * DAY),
    ]
    the_billing_day_becomes_today: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).reset_the_anchor(),
        |it| it.after(25 * DAY),
        Story::renew,
    ]
    a_year_goes_up_and_the_renewal_bills_it: [
        |it| it.subscribe(yearly(Basic)),
        |it| it.after(70 * DAY + 12_345).change_billed_later(yearly(Creator)),
        Story::renew,
        |it| it.after(LATER),
    ]
    // The grace is over by then, and only what is free is there; what is paid late lives for a month from the payment
    // on.
    a_month_that_is_paid_when_it_is_over: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew_unpaid,
        |it| it.renew_unpaid().after(3 * DAY),
        |it| it.pay_what_is_owed().after(DAY).pay_what_is_owed(),
    ]
    a_month_that_is_paid_when_the_grace_is_over: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew_unpaid,
        |it| it.after(3 * DAY).pay_what_is_owed(),
        Story::renew,
    ]
    a_change_that_is_billed_after_the_end: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change_billed_later(monthly(Creator)),
        |it| it.after(DAY).cancel_now(false),
        Story::bill_what_waits,
        |it| it.after(20 * DAY),
    ]
}
