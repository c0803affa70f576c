//! A language for stories of one subscription: each move writes the events that Stripe would send, in the order of its
//! recordings, and tells the law what has happened.

mod moves;
mod terms;
mod writing;

use serde_json::Value;

pub use terms::{Plan, Terms, monthly, yearly};

use super::{law::Law, paper::Line};

pub const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// 2026-03-02T09:00:00Z.
pub const BEGIN: i64 = 1_772_442_000;

/// How money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    Refund,
    CreditNote,
    DisputeLost,
    DisputePrevented,
    DisputeWon,
}

/// An invoice that was paid.
#[derive(Clone, Debug)]
struct Paid {
    id: String,
    payment: String,
    line: String,
    total: i64,
    /// The rest was paid by the customer's balance.
    by_card: i64,
    document: Value,
}

#[derive(Clone, Debug)]
pub struct Story {
    pub account: String,
    pub law: Law,
    pub now: i64,
    /// In the order of sending.
    pub events: Vec<Value>,
    terms: Terms,
    /// What the running period was last billed as.
    billed: Terms,
    span: (i64, i64),
    status: &'static str,
    trial_end: Option<i64>,
    cancel_at: Option<i64>,
    ended_at: Option<i64>,
    coupon: Option<(i64, &'static str)>,
    /// What the customer has at Stripe, in minor units.
    balance: i64,
    invoices: Vec<Paid>,
    /// Prorations that the next invoice bills.
    pending: Vec<Line>,
    pending_change: Option<(i64, Terms)>,
    /// Invoices that nobody has paid, as they will be when they are.
    unpaid: Vec<(Value, Terms)>,
    /// Everything that was left of the newest period went back.
    gone: bool,
    /// What was held before the last change, and until when: it holds again if all of the change's money goes back.
    held_before: Option<(Terms, i64)>,
    numbered: u32,
    /// How many subscriptions there were.
    subscribed: u32,
    /// The next change of the running period has to wait for the one after it: money went back.
    settled: bool,
}

impl Story {
    /// Nothing has happened, and the plan for everybody gives `free` credits once.
    pub fn of(account: &str, free: i64) -> Self {
        let terms = monthly(Plan::Basic);
        Self {
            account: account.to_owned(),
            law: Law::with(free),
            now: BEGIN,
            events: Vec::new(),
            terms,
            billed: terms,
            span: (BEGIN, BEGIN),
            status: "none",
            trial_end: None,
            cancel_at: None,
            ended_at: None,
            coupon: None,
            balance: 0,
            invoices: Vec::new(),
            pending: Vec::new(),
            pending_change: None,
            unpaid: Vec::new(),
            gone: false,
            held_before: None,
            numbered: 0,
            subscribed: 0,
            settled: false,
        }
    }

    // ------------------------------------------------------------------------------------------------ what is right

    /// What the account can spend now, having spent nothing.
    pub fn right_credits(&self) -> i64 {
        self.law.available(self.now)
    }

    /// A subscription that ended gives its plan until the end of what was paid for.
    pub fn right_plan(&self) -> &'static str {
        let holds = match self.status {
            "active" | "trialing" => Some(self.terms),
            "canceled" if self.now < self.span.1 && self.trial_end.is_none_or(|end| end < self.now) => {
                Some(self.billed)
            }
            _ => None,
        };
        let before = || self.held_before.filter(|(_, until)| self.now < *until).map(|(terms, _)| terms);
        let holds = holds.and_then(|terms| if self.gone { before() } else { Some(terms) });
        holds.map_or("free", |terms| terms.plan.name())
    }

    /// In minor units, rounded half to even once. `None`: nobody has said what it is when all money went back and the
    /// subscription goes on.
    pub fn right_monthly(&self) -> Option<i64> {
        if self.gone && self.status == "active" {
            return None;
        }
        if self.status != "active" && self.status != "past_due" {
            return Some(0);
        }
        let percent =
            self.coupon.filter(|(_, duration)| *duration == "forever").map_or(100, |(off, _)| 100 - off);
        let (n, d) = (self.terms.full() * percent, i64::from(self.terms.months()) * 100);
        let (whole, rest) = (n / d, n % d);
        Some(match (2 * rest).cmp(&d) {
            std::cmp::Ordering::Less => whole,
            std::cmp::Ordering::Greater => whole + 1,
            std::cmp::Ordering::Equal => whole + whole % 2,
        })
    }

    // ------------------------------------------------------------------------------------------- what can be done now

    pub const fn terms(&self) -> Terms {
        self.terms
    }

    pub const fn period_end(&self) -> i64 {
        self.span.1
    }

    /// Whether another subscription was there before, which may still give its plan.
    pub const fn is_the_first(&self) -> bool {
        self.subscribed <= 1
    }

    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// Whether a change of the period is as clear as the law: nothing of its money went back.
    pub fn may_change(&self) -> bool {
        self.is_active() && !self.settled
    }

    /// Whether the last invoice was paid by card, in full.
    pub fn may_give_back(&self) -> bool {
        !self.settled && self.invoices.last().is_some_and(|last| last.total > 0 && last.by_card == last.total)
    }
}
