//! Cancellations, and money that goes back.

use super::{LATER, ends_right};
use crate::{
    functions::truth::story::{
        Back::{CreditNote, DisputeLost, DisputePrevented, DisputeWon, Refund},
        DAY,
        Plan::{Basic, Creator},
        Story, monthly, yearly,
    },
    support::catalogs,
};

siblings! {
    cancelled_at_the_end: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).cancel_at_end(),
        |it| it.after(3 * DAY),
        Story::end,
    ]
    cancelled_now_without_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).cancel_now(false)]
    cancelled_now_with_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).cancel_now(true)]
    cancelled_now_with_money_back_after_an_upgrade: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).cancel_now(true),
    ]
    a_year_cancelled_now_with_money_back: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY + 12_345).cancel_now(true),
        |it| it.after(40 * DAY),
    ]
    it_will_end_inside_of_the_period: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).cancel_inside(10),
        |it| it.after(5 * DAY),
    ]
    a_trial_on_a_running_subscription: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).try_again(14),
        |it| it.after(5 * DAY),
        Story::convert,
    ]
    paused_with_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).pause_with_credit()]
}

siblings! {
    refunded_whole: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(Refund, (1, 1))]
    refunded_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(Refund, (1, 3)), Story::renew]
    credited_whole: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(CreditNote, (1, 1))]
    credited_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(CreditNote, (1, 3))]
    a_dispute_lost: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeLost, (1, 1))]
    a_dispute_lost_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeLost, (1, 3))]
    a_dispute_prevented: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputePrevented, (1, 1))]
    a_dispute_won: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeWon, (1, 1)), Story::renew]
    an_upgrade_refunded_in_part: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(DAY).give_back(Refund, (1, 2)),
    ]
    an_upgrade_refunded_whole: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(DAY).give_back(Refund, (1, 1)),
        |it| it.after(3 * DAY),
    ]
    a_year_instead_of_a_month_refunded_whole: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(DAY).give_back(Refund, (1, 1)),
        |it| it.after(3 * DAY),
    ]
    a_year_instead_of_a_month_refunded_in_part: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change(yearly(Creator)),
        |it| it.after(DAY).give_back(Refund, (1, 3)),
        |it| it.after(40 * DAY),
    ]
    a_year_instead_of_a_month_lost_to_a_dispute: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(DAY).give_back(DisputeLost, (1, 1)),
        |it| it.after(DAY),
    ]
    a_month_instead_of_the_rest_of_a_year_credited_in_part: [
        |it| it.subscribe(yearly(Basic)),
        |it| it.after(300 * DAY).change(monthly(Creator)),
        |it| it.after(DAY).give_back(CreditNote, (1, 2)),
        |it| it.after(20 * DAY),
        Story::renew,
    ]
    a_new_billing_day_refunded_whole: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).reset_the_anchor(),
        |it| it.after(DAY).give_back(Refund, (1, 1)),
        |it| it.after(DAY),
    ]
    an_upgrade_under_a_coupon_refunded_whole: [
        |it| it.coupon(50, "once").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(DAY).give_back(Refund, (1, 1)),
        |it| it.after(DAY),
    ]
    a_renewal_refunded_whole: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER).give_back(Refund, (1, 1)),
    ]
    a_year_refunded_whole: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(Refund, (1, 1)),
        |it| it.after(31 * DAY),
    ]
    a_year_refunded_in_part: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(Refund, (1, 2)),
        |it| it.after(31 * DAY),
    ]
    a_year_credited_in_part: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(CreditNote, (1, 2)),
        |it| it.after(31 * DAY),
    ]
}
