//! Trials with credits of their own.

use super::{ends_right, music_with_trial};
use crate::functions::truth::story::{
    DAY,
    Plan::{Creator, Team},
    Story, monthly,
};

trials! {
    a_trial_gives_its_credits_while_it_lasts: [|it| it.trial(monthly(Creator), 14, 300), |it| it.after(5 * DAY)]
    a_trial_that_converts_ends_its_credits: [|it| it.trial(monthly(Creator), 14, 300), Story::convert, Story::renew]
    a_longer_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).extend_trial(10),
        |it| it.after(15 * DAY),
        Story::convert,
    ]
    up_inside_of_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).change_in_trial(monthly(Team)),
        Story::convert,
    ]
    seats_up_inside_of_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).change_in_trial(monthly(Creator).seats(4)),
        Story::convert,
        Story::renew,
    ]
    up_ends_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).convert_by_change(monthly(Team)),
        Story::renew,
    ]
    a_trial_that_is_cancelled_now: [|it| it.trial(monthly(Creator), 14, 300), |it| {
        let mut it = it.after(5 * DAY);
        it.law.end_trial(it.now);
        it.cancel_now(false)
    }]
}
