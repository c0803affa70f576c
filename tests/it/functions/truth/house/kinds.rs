//! Which moves does a life have, and how often is each made?

use crate::support::dice::Dice;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Change,
    ChangeTwice,
    Seats,
    WaitABit,
    WaitAMonth,
    WaitLong,
    Cancel,
    Pause,
    StandStill,
    Refund,
    Note,
    Dispute,
    Fail,
    Debit,
    ChangeByDebit,
    Pack,
    Coupon,
    CouponOff,
    Schedule,
    Trial,
    AddOn,
    Subscribe,
}

/// What is done more than once in most stories, as often as it is here.
const USUAL: [Kind; 44] = {
    use Kind::*;
    [
        Change,
        Change,
        Change,
        Change,
        Change,
        ChangeTwice,
        ChangeTwice,
        Seats,
        WaitABit,
        WaitABit,
        WaitABit,
        WaitABit,
        WaitABit,
        WaitABit,
        WaitAMonth,
        WaitAMonth,
        WaitAMonth,
        WaitAMonth,
        WaitAMonth,
        Cancel,
        Cancel,
        Pause,
        StandStill,
        Refund,
        Note,
        Dispute,
        Fail,
        Debit,
        ChangeByDebit,
        ChangeByDebit,
        Pack,
        WaitLong,
        Coupon,
        Coupon,
        Coupon,
        CouponOff,
        Schedule,
        Schedule,
        Trial,
        AddOn,
        Subscribe,
        Subscribe,
        Subscribe,
        Subscribe,
    ]
};

/// Of some stories, a few kinds of moves make up most: what only happens where the same is done again and again is
/// found so.
pub(super) fn kinds(dice: &mut Dice) -> Vec<Kind> {
    let mut kinds = USUAL.to_vec();
    for _ in 0..dice.below(3) {
        let favourite = USUAL[dice.below(USUAL.len())];
        kinds.extend([favourite; 15]);
    }
    kinds
}
