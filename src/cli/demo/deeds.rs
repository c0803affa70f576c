//! What can somebody do in the year, and when?

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use crate::load::Random;

use super::offer::PieceOfWork;

/// How many times a day things are done, each three hours long.
pub(super) const SLOTS: u32 = 8;
const DAY_S: i64 = 86_400;
const SLOT_S: i64 = 10_800;
/// The last seconds of a slot are left for what follows from what was done.
const SLOT_REST_S: u64 = 600;

/// How many days after a payment it is disputed, and decided by the bank.
pub(super) const DISPUTED_DAYS: u32 = 4;
pub(super) const DECIDED_DAYS: u32 = 19;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) seed: u64,
    pub(super) accounts: u32,
    pub(super) begin: NaiveDate,
    /// How many days there are to live through.
    pub(super) days: u32,
}

/// Somebody with an account, and all that they do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) account: Arc<str>,
    pub(super) came_by: &'static str,
    /// In the order of time.
    pub(super) acts: Vec<Act>,
    /// Why this account is worth a look.
    pub(super) highlights: Vec<Highlight>,
    /// The credits that were asked for, for work of any kind.
    pub(super) asked_for: i64,
    /// The day of a monthly payment that they could dispute, early enough for the bank to decide it.
    pub(super) disputable: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) slot: Slot,
    pub(super) deed: Deed,
}

/// A part of a day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) day: u32,
    pub(super) part: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Arrive,
    Subscribe {
        plan: Arc<str>,
        by_year: bool,
        trial: bool,
        card: Card,
    },
    Buy {
        pack: Arc<str>,
        card: Card,
    },
    Change {
        plan: Arc<str>,
    },
    Cancel {
        at_once: bool,
        feedback: &'static str,
    },
    /// From here on, the subscription is charged to this card.
    UseCard(Card),
    PayInvoice,
    /// The business gives the last payment of this kind back.
    GiveBack(PaymentFor),
    Dispute,
    DecideDispute {
        won: bool,
    },
    Make {
        work: Arc<PieceOfWork>,
        how: Making,
    },
    /// Many small pieces of work, charged as one.
    Spend {
        amount: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    Good,
    Declined,
    NoMoney,
    /// Is taken, and fails when it is charged.
    FailsLater,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaymentFor {
    Subscription,
    Pack,
}

/// How a piece of work is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Charged,
    /// Charged, and refunded since it failed.
    Failed,
    /// Held, and charged when it was done.
    Held,
    /// Held, and given up.
    Dropped,
}

/// Why an account is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Highlight {
    PaidInTheEnd,
    NeverPaid,
    DisputeLost,
    DisputeWon,
    PackGivenBack,
    MoneyBack,
    Upgraded,
    Downgraded,
    CameBack,
    ByYear,
    GrewQuiet,
    TrialLost,
    TrialWon,
    Heaviest,
}

impl Person {
    /// Somebody who has done nothing yet.
    pub(super) const fn new(account: Arc<str>, came_by: &'static str) -> Self {
        Self { account, came_by, acts: Vec::new(), highlights: Vec::new(), asked_for: 0, disputable: None }
    }
}

impl Demand {
    pub(super) fn date(&self, day: u32) -> NaiveDate {
        self.begin.checked_add_days(Days::new(day.into())).unwrap_or(self.begin)
    }

    /// When something is done in a slot, in seconds since the first day began. Not on the hour, as nobody is.
    pub(super) fn second(&self, slot: Slot) -> i64 {
        let seed = self.seed ^ (u64::from(slot.day) << 8) ^ u64::from(slot.part);
        let slot_s = u64::try_from(SLOT_S).unwrap_or_default();
        let into = Random::from_seed(seed).below(slot_s.saturating_sub(SLOT_REST_S));
        let whole = i64::from(slot.day)
            .saturating_mul(DAY_S)
            .saturating_add(i64::from(slot.part).saturating_mul(SLOT_S));
        whole.saturating_add(i64::try_from(into).unwrap_or_default())
    }
}
