//! What should each month of a subscription have given, from all that is known of it?
//!
//! One function from facts to credits: paid lines and reports go in, in any order, and months come out. It knows no
//! clock and no earlier grants; the ledger compares its answer with what it has granted and appends the difference. So
//! facts that come late, twice or in another order end in the same credits.
//!
//! `docs/STRIPE.md`, "What a line gives", has the rules in words.

pub mod free;
mod grid;
mod lines;
mod sharing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::{free::FreeSpans, grid::Grid, lines::ClassifiedLine, sharing::Shares};
use super::{
    amount::{Credits, Money},
    ids::{PlanId, ProviderId},
    invoice::{PaidInvoice, UnpaidInvoice},
    payments::PaymentRecords,
    report::SubscriptionState,
    time::{Period, Timestamp},
    unbacked::Lack,
};

pub use self::grid::months_between;

/// A paid invoice, and when it was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownInvoice {
    pub invoice: PaidInvoice,
    pub paid_at: Timestamp,
}

/// What one month of a subscription should have given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    pub period: Period,
    /// The plan that it begins with.
    pub plan: PlanId,
    /// What the plans that it begins with give for all of it.
    pub allocation: Credits,
    /// The most that may roll over into it. `None`: nothing.
    pub carry_max: Option<Credits>,
    /// What was paid for, by what was paid.
    pub pieces: Vec<Piece>,
    /// What is taken back because money came back for it, by the invoice that gives the money back.
    pub takings: Vec<Taking>,
    /// What is taken back because a smaller plan holds, for which no money has come back yet.
    pub unbilled: Credits,
    /// Whether nothing has to be paid for the plan.
    pub free: bool,
}

/// What one invoice gives of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub invoice: ProviderId,
    /// The line that names it.
    pub line: ProviderId,
    /// From when on it is paid for.
    pub from: Timestamp,
    pub amount: Credits,
    /// The plan that was paid for.
    pub plan: PlanId,
    pub cost: Money,
    /// Bounds of its own, because the money came when the month was over.
    pub life: Option<Period>,
}

/// What one invoice takes back of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taking {
    pub invoice: ProviderId,
    /// The invoice that charged for it, where that is known.
    pub gives_back: Option<ProviderId>,
    pub amount: Credits,
}

impl Taking {
    /// When an invoice is refunded, the share of what the invoice took is undone, as well as that of what it gave.
    #[must_use]
    pub fn kept(&self, payments: &PaymentRecords) -> Credits {
        self.amount.saturating_sub(payments.undone(&self.invoice, self.amount))
    }
}

impl Month {
    /// A month that ends at `end` and gives nothing.
    #[must_use]
    pub const fn nothing(end: Timestamp, plan: PlanId) -> Self {
        Self {
            period: Period { start: end, end },
            plan,
            allocation: Credits::ZERO,
            carry_max: None,
            pieces: Vec::new(),
            takings: Vec::new(),
            unbilled: Credits::ZERO,
            free: false,
        }
    }

    /// The time when it is due: its start, or the time of its payment, if that was later than its end.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        let lives = self.pieces.iter().map(|piece| piece.life.map_or(self.period.start, |life| life.start));
        lives.min().unwrap_or(self.period.start)
    }

    /// All that was paid for, before anything is taken back.
    #[must_use]
    pub fn paid_for(&self) -> Credits {
        Credits::checked_sum(self.pieces.iter().map(|piece| piece.amount)).unwrap_or(Credits::MAX)
    }

    /// What credit lines take back.
    #[must_use]
    pub fn given_up(&self, payments: &PaymentRecords) -> Credits {
        let taken = self.takings.iter().map(|taking| taking.kept(payments));
        Credits::checked_sum(taken).unwrap_or(Credits::MAX)
    }

    /// Whether it was paid for, and not all of it was given up for another period, or for nothing.
    #[must_use]
    pub fn is_paid(&self, payments: &PaymentRecords) -> bool {
        self.paid_for() > self.given_up(payments)
    }
}

/// What is known of a subscription beside its paid invoices.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// In the order in which they hold.
    pub reports: &'a [SubscriptionState],
    /// What these charge for is not paid: a report of it takes nothing of what was paid for.
    pub unpaid: &'a [&'a UnpaidInvoice],
    /// What invoices lack that something is given back of: the same share of that is not taken.
    pub unbacked: &'a BTreeMap<ProviderId, Lack>,
    /// When what costs nothing is given, by line.
    pub free: &'a FreeSpans,
}

/// Computes the months of a subscription, the first to end first.
#[must_use]
pub fn months(
    invoices: &[KnownInvoice],
    Beside { reports, unpaid, unbacked, free }: Beside<'_>,
) -> Vec<Month> {
    let mut lines = lines::read(invoices, reports);
    for line in &mut lines {
        let of = line.invoice.other_given_back(line.paid);
        line.lack = of.and_then(|of| unbacked.get(of)).copied();
        line.free_spans =
            free.get(&line.paid.line).filter(|_| line.paid.free && line.sign > 0).map(Vec::as_slice);
        line.leaves_nothing =
            line.lack.is_some() && !invoices.iter().any(|known| of == Some(&known.invoice.invoice));
    }
    let grid = Grid::of(&lines, reports);
    let ended_at = reports.iter().filter_map(|report| report.ended_at).min();
    let shares = Shares::of(&lines, &grid);
    let is_paid = |report: &&SubscriptionState| {
        let at = report.evidence.reported_at;
        !unpaid.iter().any(|invoice| invoice.charges_for_change(&report.plan, at))
    };
    let held: Vec<SubscriptionState> = reports.iter().filter(is_paid).cloned().collect();
    shares.months().filter_map(|share| share.month(&lines, &grid, &held, ended_at)).collect()
}

/// A line, as far as it says which plan was paid for, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    pub invoice: ProviderId,
    pub plan: PlanId,
    pub period: Period,
    /// How many; less than nothing for what was given back.
    pub quantity: i64,
    /// Of what was given back: the invoice that charged for it, where that is known.
    pub gives_back: Option<ProviderId>,
}

/// What lines charge for and give back, the first to begin first.
#[must_use]
pub fn held_lines(invoices: &[KnownInvoice], reports: &[SubscriptionState]) -> Vec<HeldLine> {
    let lines = lines::read(invoices, reports);
    let held = lines.iter().map(|line| HeldLine {
        invoice: line.invoice.invoice.clone(),
        plan: line.paid.plan.clone(),
        period: line.paid.period,
        quantity: line.sign.saturating_mul(i64::from(line.paid.quantity)),
        gives_back: line.gives_back.cloned(),
    });
    held.collect()
}

/// What a line is for in a whole month. What costs nothing is had once, however many there are.
fn credits(line: &ClassifiedLine<'_>) -> i64 {
    let quantity = if line.paid.free { line.paid.quantity.min(1) } else { line.paid.quantity };
    line.unit.get().saturating_mul(i64::from(quantity))
}

/// What a line gives or takes for a whole month.
fn monthly(line: &ClassifiedLine<'_>) -> i128 {
    let credits = credits(line);
    let lacking = line.lack.map_or(0, |lack| lack.share_of(credits));
    i128::from(credits.saturating_sub(lacking)).saturating_mul(i128::from(line.sign))
}

/// What a line says that is held more, or less, for a whole month, whatever money came back for what it leaves: to
/// leave what no line charged for leaves nothing.
fn held_monthly(line: &ClassifiedLine<'_>) -> i128 {
    let held = if line.leaves_nothing { 0 } else { credits(line) };
    i128::from(held).saturating_mul(i128::from(line.sign))
}
