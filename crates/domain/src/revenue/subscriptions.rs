//! When is the money of subscriptions earned, and how much of it was returned?
//!
//! Each line of a paid invoice is earned evenly over its period, from the payment on; what had passed by then is earned
//! at once.
//! A line that gives money back takes the same away.
//! What is returned of an invoice reduces each of its lines by the same share: the part for the time that has passed
//! was earned already, and the rest is no longer deferred.
//! Everything follows from the facts and their own times, in whatever order they became known.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{
    amount::{Currency, Money},
    event::{CreditsEvent, Event, InvoiceEvent, PaymentEvent, PaymentPurpose},
    ids::ProviderId,
    payments::{PaymentRecords, Returned},
    time::{Period, Timestamp},
};

use super::{EarningSpan, RevenueKind, share};

/// What follows for the money of an account's subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionRevenue {
    /// What was paid, returned or earned at once on a day, in minor units. Other money is earned over `spans`.
    pub at_once: BTreeMap<(NaiveDate, Currency, RevenueKind), i64>,
    pub spans: Vec<EarningSpan>,
}

/// Whether [`subscription_revenue`] needs the event.
#[must_use]
pub fn is_revenue_fact(event: &Event) -> bool {
    match event {
        Event::Invoice(InvoiceEvent::InvoicePaid { .. }) => true,
        Event::Invoice(InvoiceEvent::PeriodPaid { term, .. }) => term.paid.is_some(),
        // What packs bought is a lot, and they can be many.
        Event::Payment(PaymentEvent::PaymentSucceeded { purpose: PaymentPurpose::Pack { .. }, .. }) => false,
        Event::Payment(
            PaymentEvent::PaymentSucceeded { .. }
            | PaymentEvent::PaymentLinked { .. }
            | PaymentEvent::PaymentRefunded { .. }
            | PaymentEvent::RefundIssued { .. }
            | PaymentEvent::RefundFailed { .. }
            | PaymentEvent::CreditNoteIssued { .. }
            | PaymentEvent::CreditNoteVoided { .. }
            | PaymentEvent::DisputeOpened { .. }
            | PaymentEvent::DisputeClosed { .. },
        ) => true,
        Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) => {
            grant.cost.is_some() && grant.slot.is_some() && grant.payment.is_none()
        }
        Event::Credits(_)
        | Event::Invoice(InvoiceEvent::InvoiceUnpaid { .. })
        | Event::Payment(PaymentEvent::PaymentFailed { .. } | PaymentEvent::PaymentActionRequired { .. })
        | Event::Account(_)
        | Event::Hold(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Checkout(_) => false,
    }
}

/// What follows from all facts of an account, in the order of its stream.
#[must_use]
pub fn subscription_revenue<'a>(facts: impl Iterator<Item = &'a Event>) -> SubscriptionRevenue {
    let facts: Vec<&Event> = facts.collect();
    let paid = paid_lines(&facts);
    let mut revenue = SubscriptionRevenue::default();
    for (line, steps) in paid.iter().zip(steps_of(&facts, &paid)) {
        revenue.add(line, &steps);
    }
    revenue
}

/// A line that was paid.
struct PaidPeriod<'a> {
    /// `None`: it was imported, so no invoice of it is known.
    invoice: Option<&'a ProviderId>,
    money: &'a Money,
    period: Period,
    paid_at: Timestamp,
}

/// From when on how much of a line's money is left, in minor units.
type Steps = Vec<(Timestamp, i64)>;

fn paid_lines<'a>(facts: &[&'a Event]) -> Vec<PaidPeriod<'a>> {
    let mut lines = Vec::new();
    let mut known: Vec<&ProviderId> = Vec::new();
    for fact in facts {
        match fact {
            Event::Invoice(InvoiceEvent::InvoicePaid { invoice, effective_at }) => {
                if known.contains(&&invoice.invoice) {
                    continue;
                }
                known.push(&invoice.invoice);
                lines.extend(invoice.lines.iter().map(|line| PaidPeriod {
                    invoice: Some(&invoice.invoice),
                    money: &line.cost,
                    period: line.period,
                    paid_at: *effective_at,
                }));
            }
            Event::Invoice(InvoiceEvent::PeriodPaid { term, effective_at }) => {
                lines.extend(term.paid.as_ref().map(|paid| PaidPeriod {
                    invoice: Some(&paid.payment),
                    money: &paid.cost,
                    period: term.period,
                    paid_at: *effective_at,
                }));
            }
            Event::Credits(CreditsEvent::CreditsGranted { grant, effective_at, .. }) => {
                let imported = grant.cost.as_ref().zip(grant.slot.as_ref());
                lines.extend(imported.map(|(money, slot)| PaidPeriod {
                    invoice: None,
                    money,
                    period: slot.period,
                    paid_at: *effective_at,
                }));
            }
            Event::Credits(_)
            | Event::Invoice(InvoiceEvent::InvoiceUnpaid { .. })
            | Event::Payment(_)
            | Event::Account(_)
            | Event::Hold(_)
            | Event::Subscription(_)
            | Event::Notice(_)
            | Event::Checkout(_) => {}
        }
    }
    lines
}

/// For each line, what is left of its money from its payment on, and from each later time at which that changed.
fn steps_of(facts: &[&Event], lines: &[PaidPeriod<'_>]) -> Vec<Steps> {
    let mut records = PaymentRecords::default();
    // Which invoice a payment was for, and how much it came to, holds from the beginning, whenever it became known.
    for fact in facts {
        if let Event::Invoice(InvoiceEvent::InvoicePaid { invoice, .. }) = fact {
            records.invoice(invoice);
        }
        if let Event::Payment(
            event @ (PaymentEvent::PaymentSucceeded { .. } | PaymentEvent::PaymentLinked { .. }),
        ) = fact
        {
            records.learn(event);
        }
    }
    let mut by_invoice: BTreeMap<&ProviderId, Vec<usize>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(invoice) = line.invoice {
            by_invoice.entry(invoice).or_default().push(number);
        }
    }
    // No invoice of an imported month is known, so nothing of it is known to be returned.
    let begun = |line: &PaidPeriod<'_>| match line.invoice {
        Some(_) => Vec::new(),
        None => vec![(line.paid_at, line.money.minor)],
    };
    let mut steps: Vec<Steps> = lines.iter().map(begun).collect();
    let mut timed: Vec<&Event> = facts.to_vec();
    timed.sort_by_key(|fact| fact.effective_at());
    for fact in timed {
        let Some(invoice) = invoice_of(fact, &mut records) else { continue };
        let gone = records.gone_back(&invoice);
        for number in by_invoice.get(&invoice).into_iter().flatten() {
            if let Some((line, steps)) = lines.get(*number).zip(steps.get_mut(*number)) {
                let left = left_of(line.money.minor, gone);
                step(steps, fact.effective_at().max(line.paid_at), left);
            }
        }
    }
    for steps in &mut steps {
        steps.dedup_by_key(|(_, left)| *left);
    }
    steps
}
/// The invoice of whose money the event says something, after it was added to what is known.
fn invoice_of(fact: &Event, records: &mut PaymentRecords) -> Option<ProviderId> {
    match fact {
        Event::Payment(event) => {
            records.learn(event);
            event.returned_of().map(|payment| records.bought_by(payment).clone())
        }
        Event::Invoice(InvoiceEvent::InvoicePaid { invoice, .. }) => Some(invoice.invoice.clone()),
        Event::Invoice(InvoiceEvent::PeriodPaid { term, .. }) => {
            term.paid.as_ref().map(|paid| paid.payment.clone())
        }
        Event::Invoice(InvoiceEvent::InvoiceUnpaid { .. })
        | Event::Credits(_)
        | Event::Account(_)
        | Event::Hold(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Checkout(_) => None,
    }
}

/// What was returned before the payment is one step with it.
fn step(steps: &mut Steps, at: Timestamp, left: i64) {
    match steps.last_mut() {
        Some((last, known)) if *last == at => *known = left,
        Some((_, known)) if *known == left => {}
        Some(_) | None => steps.push((at, left)),
    }
}

fn left_of(minor: i64, Returned { returned, paid, whole }: Returned) -> i64 {
    let paid = paid.unwrap_or(0).max(0);
    let gone =
        if whole { minor } else { share(minor, i128::from(returned.clamp(0, paid)), i128::from(paid)) };
    minor.saturating_sub(gone)
}

impl SubscriptionRevenue {
    fn add(&mut self, line: &PaidPeriod<'_>, steps: &[(Timestamp, i64)]) {
        let ends = steps.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
        let mut before: Option<i64> = None;
        for ((at, minor), until) in steps.iter().copied().zip(ends) {
            let earned = EarningSpan::earned_by(minor, line.period, at);
            match before.replace(minor) {
                None => {
                    self.note(at, line, RevenueKind::Sold, minor);
                    self.note(at, line, RevenueKind::Recognised, earned);
                }
                Some(before) => {
                    let contra = EarningSpan::earned_by(before, line.period, at).saturating_sub(earned);
                    let returned = before.saturating_sub(minor);
                    self.note(at, line, RevenueKind::Contra, contra);
                    self.note(at, line, RevenueKind::Refunded, returned.saturating_sub(contra));
                }
            }
            if minor != 0 && at < line.period.end {
                let (period, currency) = (line.period, line.money.currency.clone());
                let until = until.min(period.end);
                self.spans.push(EarningSpan { currency, minor, period, since: at, until });
            }
        }
    }

    fn note(&mut self, at: Timestamp, line: &PaidPeriod<'_>, kind: RevenueKind, minor: i64) {
        if minor == 0 {
            return;
        }
        let day = at.to_utc().date_naive();
        let sum = self.at_once.entry((day, line.money.currency.clone(), kind)).or_default();
        *sum = sum.saturating_add(minor);
    }
}
