//! What should each month of a subscription have given, from all that is known of it?
//!
//! This is one function from facts to credits: paid lines and reports go in, in any order, and months come out.
//! It knows no clock and no earlier grants; the ledger compares the result with what it granted, and appends the
//! difference.
//! So facts that come late, twice or in another order lead to the same credits.
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
    /// The plan at its start.
    pub plan: PlanId,
    /// How many credits the plans at its start give for the whole month.
    pub allocation: Credits,
    /// The most credits that may roll over into it. `None`: none.
    pub carry_max: Option<Credits>,
    /// What each invoice pays for.
    pub pieces: Vec<Piece>,
    /// What each invoice takes back because it returns money.
    pub takings: Vec<Taking>,
    /// What is taken back because of a downgrade that no invoice has returned money for yet.
    pub unbilled: Credits,
    /// Whether the plan costs nothing.
    pub free: bool,
}

/// What one invoice gives for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub invoice: ProviderId,
    /// The line after which its grant is named.
    pub line: ProviderId,
    /// The start of the time that it pays for.
    pub from: Timestamp,
    pub amount: Credits,
    /// The plan that was paid for.
    pub plan: PlanId,
    pub cost: Money,
    /// The life of its credits, if that is not the month's because the money came after the month's end.
    pub life: Option<Period>,
}

/// What one invoice takes back for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taking {
    pub invoice: ProviderId,
    /// The invoice that charged for it, if it is known.
    pub gives_back: Option<ProviderId>,
    pub amount: Credits,
}

impl Taking {
    /// The credits that stay taken back: if the invoice is refunded, a share of what it took is undone, as of what it
    /// gave.
    #[must_use]
    pub fn kept(&self, payments: &PaymentRecords) -> Credits {
        self.amount.saturating_sub(payments.undone(&self.invoice, self.amount))
    }
}

impl Month {
    /// A month that ends at `end` and gives no credits.
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

    /// When it is due: at its start, or at its payment if that came after its end.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        let lives = self.pieces.iter().map(|piece| piece.life.map_or(self.period.start, |life| life.start));
        lives.min().unwrap_or(self.period.start)
    }

    /// All credits that were paid for, before any are taken back.
    #[must_use]
    pub fn paid_for(&self) -> Credits {
        Credits::checked_sum(self.pieces.iter().map(|piece| piece.amount)).unwrap_or(Credits::MAX)
    }

    /// The credits that credit lines take back.
    #[must_use]
    pub fn given_up(&self, payments: &PaymentRecords) -> Credits {
        let taken = self.takings.iter().map(|taking| taking.kept(payments));
        Credits::checked_sum(taken).unwrap_or(Credits::MAX)
    }

    /// Whether more was paid for than credit lines take back.
    #[must_use]
    pub fn is_paid(&self, payments: &PaymentRecords) -> bool {
        self.paid_for() > self.given_up(payments)
    }
}

/// What is known of a subscription besides its paid invoices.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// The last one holds.
    pub reports: &'a [SubscriptionState],
    /// Unpaid invoices: a report of what they charge for does not reduce what was paid for.
    pub unpaid: &'a [&'a UnpaidInvoice],
    /// How much money is missing for invoices of which something is given back: the same share is not taken back.
    pub unbacked: &'a BTreeMap<ProviderId, Lack>,
    /// When each line gives its free plan.
    pub free: &'a FreeSpans,
}

/// Computes the months of a subscription, ordered by their ends.
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

/// A line, reduced to the plan that it charges for or gives back, and its period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    pub invoice: ProviderId,
    pub plan: PlanId,
    pub period: Period,
    /// Negative for what is given back.
    pub quantity: i64,
    /// For what is given back: the invoice that charged for it, if it is known.
    pub gives_back: Option<ProviderId>,
}

/// What lines charge for and give back, ordered by their starts.
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

/// The credits of a line's plan for a whole month. A free plan counts once, whatever its quantity.
fn credits(line: &ClassifiedLine<'_>) -> i64 {
    let quantity = if line.paid.free { line.paid.quantity.min(1) } else { line.paid.quantity };
    line.unit.get().saturating_mul(i64::from(quantity))
}

/// The credits that a line gives for a whole month; negative for those that it takes back.
fn monthly(line: &ClassifiedLine<'_>) -> i128 {
    let credits = credits(line);
    let lacking = line.lack.map_or(0, |lack| lack.share_of(credits));
    i128::from(credits.saturating_sub(lacking)).saturating_mul(i128::from(line.sign))
}

/// By how much a line changes the credits of the plan that is held, for a whole month, whether or not money is behind
/// it.
/// A line that gives back what nobody charged for changes nothing.
fn held_monthly(line: &ClassifiedLine<'_>) -> i128 {
    let held = if line.leaves_nothing { 0 } else { credits(line) };
    i128::from(held).saturating_mul(i128::from(line.sign))
}
