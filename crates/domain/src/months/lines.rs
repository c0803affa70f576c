//! Which lines give credits, which take them back, and how many a month?

use super::KnownInvoice;
use crate::{
    amount::Credits,
    ids::ProviderId,
    invoice::{LineEffect, PaidInvoice, PaidLine},
    report::{SubscriptionState, SubscriptionStatus},
    time::{Period, Timestamp},
    unbacked::Lack,
};

/// A line that is known to give credits or to take them back.
#[derive(Clone, Copy)]
pub(super) struct ClassifiedLine<'a> {
    pub paid: &'a PaidLine,
    pub invoice: &'a PaidInvoice,
    pub paid_at: Timestamp,
    /// 1 if it gives, −1 if it takes back.
    pub sign: i64,
    /// How many credits a month the plan gives for a quantity of one.
    /// For a line that takes back: as the charge had them.
    pub unit: Credits,
    /// For a line that takes back: the invoice that charged, if it is known.
    pub gives_back: Option<&'a ProviderId>,
    /// How much money is missing for that charge: the same share of it is not taken back.
    pub lack: Option<Lack>,
    /// Whether the charge is unknown because nobody paid it, so that nothing can be taken back.
    pub leaves_nothing: bool,
    /// For a plan that costs nothing: when this line gives it.
    pub free_spans: Option<&'a [Period]>,
}

impl ClassifiedLine<'_> {
    /// Since when the charge is known: a proration may be billed long after it began.
    pub(super) fn billed_since(&self) -> Timestamp {
        self.paid.period.start.max(self.invoice.created_at)
    }
}

/// The lines that give or take back, in an order that does not depend on their arrival.
pub(super) fn read<'a>(
    invoices: &'a [KnownInvoice],
    reports: &[SubscriptionState],
) -> Vec<ClassifiedLine<'a>> {
    let mut lines: Vec<ClassifiedLine<'a>> = invoices
        .iter()
        .flat_map(|known| {
            let (invoice, paid_at) = (&known.invoice, known.paid_at);
            invoice.lines.iter().map(move |paid| ClassifiedLine {
                paid,
                invoice,
                paid_at,
                sign: 1,
                unit: paid.unit,
                gives_back: None,
                lack: None,
                leaves_nothing: false,
                free_spans: None,
            })
        })
        .collect();
    lines.sort_by(|one, other| key(one).cmp(&key(other)));
    let signs: Vec<i64> = lines.iter().map(|line| sign(line, &lines, reports)).collect();
    for (line, sign) in lines.iter_mut().zip(signs) {
        line.sign = sign;
    }
    lines.retain(|line| line.sign != 0);
    let charged: Vec<Option<ClassifiedLine<'a>>> = lines.iter().map(|line| charged(line, &lines)).collect();
    for (line, charged) in lines.iter_mut().zip(charged) {
        if let Some(charged) = charged {
            line.unit = charged.unit;
            line.gives_back = Some(&charged.invoice.invoice);
        }
    }
    lines
}

fn key<'b>(line: &'b ClassifiedLine<'_>) -> (Timestamp, &'b str, &'b str) {
    (line.paid.period.start, line.invoice.invoice.as_str(), line.paid.line.as_str())
}

fn sign(line: &ClassifiedLine<'_>, lines: &[ClassifiedLine<'_>], reports: &[SubscriptionState]) -> i64 {
    match line.paid.effect {
        LineEffect::Charge => 1,
        LineEffect::Credit => -1,
        LineEffect::Nothing if is_in_trial(line.paid.period.start, reports) => 0,
        LineEffect::Nothing if leaves_what_was_held(line, lines) => -1,
        LineEffect::Nothing => 1,
    }
}

/// Whether the account was in a trial at `at`, or a trial ended in that second.
/// If no report is known, it is assumed to have been, so that nothing is granted by mistake.
fn is_in_trial(at: Timestamp, reports: &[SubscriptionState]) -> bool {
    let is_trial = |report: &SubscriptionState| {
        report.status == SubscriptionStatus::Trialing && report.trial_end.is_none_or(|end| at < end)
    };
    let before = reports.iter().rfind(|report| report.evidence.reported_at < at);
    let mut then = before
        .into_iter()
        .chain(reports.iter().filter(|report| report.evidence.reported_at == at))
        .peekable();
    if then.peek().is_none() {
        return reports.first().is_none_or(is_trial);
    }
    then.any(is_trial)
}

/// Whether `line` is the old plan in an invoice that changes the plan.
/// Of two prorations over 0, the one for the plan that was charged before takes back.
fn leaves_what_was_held(line: &ClassifiedLine<'_>, lines: &[ClassifiedLine<'_>]) -> bool {
    let start = line.paid.period.start;
    let terms = |line: &ClassifiedLine<'_>| (line.paid.plan.clone(), line.paid.quantity);
    let before = lines.iter().rfind(|other| {
        other.paid.effect == LineEffect::Charge
            && other.paid.period.start < start
            && other.paid.period.contains(start)
    });
    let changes = lines.iter().any(|other| {
        other.invoice.invoice == line.invoice.invoice
            && other.paid.period.start == start
            && other.paid.effect != LineEffect::Credit
            && terms(other) != terms(line)
    });
    changes && before.is_some_and(|before| terms(before) == terms(line))
}

/// The line that charged for what `line` takes back.
/// It has the credits that were granted, whatever the catalog says when they are taken back.
fn charged<'a>(line: &ClassifiedLine<'a>, lines: &[ClassifiedLine<'a>]) -> Option<ClassifiedLine<'a>> {
    if line.sign > 0 {
        return None;
    }
    let start = line.paid.period.start;
    let same = || lines.iter().filter(|other| other.sign > 0 && other.paid.plan == line.paid.plan);
    let earlier = same().rfind(|other| other.paid.period.start < start && other.paid.period.contains(start));
    let beside = || {
        same().find(|other| other.paid.period.start == start && other.invoice.invoice != line.invoice.invoice)
    };
    earlier.or_else(beside).copied()
}
