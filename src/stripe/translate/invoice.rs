//! What did a paid invoice pay for?
//!
//! Lines decide, and not the amount that was paid: it is zero for a trial, which gives nothing, and also for
//! a full discount or a customer's balance, which give everything.

use super::{
    Report, SetAside, Step, Translation, held, ignored,
    line::{self, Line},
    packs, payment,
};
use crate::{
    domain::{
        amount::Money,
        command::{Command, LeftPeriod, PaidPeriod, Proration, RecordPaidInvoice},
        event::PaymentPurpose,
        names::ProviderId,
    },
    stripe::document::quoted,
};

/// `invoice.payment_succeeded` says the same as `invoice.paid`, and has the same key.
pub(super) fn paid(report: Report<'_>) -> Translation {
    let invoice = report.id()?;
    check_is_paid(report)?;
    let lines = line::lines(report)?;
    let subscription = subscription(report, &lines);
    let money = money_paid(report)?;
    let paid_at = report.object.time("status_transitions.paid_at").unwrap_or_else(|| report.at());
    let packs = packs::of_invoice(report, &money, paid_at)?;
    let links = payments(report).map(|payment| payment::link(payment, invoice.clone(), report));
    if lines.is_empty() && !packs.is_empty() && subscription.is_none() {
        return report.instruct(links.chain(packs).collect());
    }
    check_is_known(report, &lines, subscription.as_ref())?;
    let (prorations, given_back) = prorations(&lines);
    let command = RecordPaidInvoice {
        invoice: invoice.clone(),
        subscription,
        money,
        periods: periods(&lines),
        prorations,
        left: left(&lines, &given_back),
        effective_at: paid_at,
    };
    if command.periods.is_empty()
        && command.prorations.is_empty()
        && command.money.minor == 0
        && packs.is_empty()
    {
        return Err(ignored("nothing was charged, as when a trial begins"));
    }
    let paid = Step::new(format!("invoice_paid:{invoice}"), Command::RecordPaidInvoice(command));
    report.instruct(links.chain([paid]).chain(packs).collect())
}

/// The payments of the invoice that it names itself: one before 2025-03-31, and since then only where the list
/// was asked for.
fn payments(report: Report<'_>) -> impl Iterator<Item = ProviderId> {
    let older = report.object.first_id(&["payment_intent", "charge"]);
    let newer = report.object.members("payments").filter(|payment| payment.text("status") == Some("paid"));
    let newer = newer.filter_map(|payment| payment.first_id(&["payment.payment_intent", "payment.charge"]));
    older.into_iter().chain(newer)
}

pub(super) fn failed(report: Report<'_>) -> Translation {
    let invoice = report.id()?;
    let attempt = attempt(report);
    let step = Step::new(
        format!("invoice_failed:{invoice}:{attempt}"),
        Command::RecordFailedPayment {
            payment: invoice,
            money: report.money(&["amount_due"])?,
            purpose: purpose(report),
            attempt,
            effective_at: report.at(),
        },
    );
    report.instruct(vec![step])
}

pub(super) fn action_required(report: Report<'_>) -> Translation {
    let invoice = report.id()?;
    let step = Step::new(
        format!("invoice_action:{invoice}:{}", attempt(report)),
        Command::RecordActionRequired {
            payment: invoice,
            money: report.money(&["amount_due"])?,
            effective_at: report.at(),
        },
    );
    report.instruct(vec![step])
}

fn check_is_paid(report: Report<'_>) -> Result<(), SetAside> {
    match report.object.text("status") {
        // Some senders leave the status out; the event itself says that the invoice is paid.
        Some("paid") | None => Ok(()),
        Some("draft" | "open" | "void" | "uncollectible") => {
            Err(held("the event says that the invoice is paid, and the invoice says that it is not"))
        }
        Some(other) => Err(held(format!("the invoice's status is {}, which is unknown", quoted(other)))),
    }
}

/// An invoice of a subscription that has no plan of ours waits for the catalog; any other one is not about
/// us.
fn check_is_known(
    report: Report<'_>,
    lines: &[Line<'_>],
    subscription: Option<&ProviderId>,
) -> Result<(), SetAside> {
    match (subscription, lines.is_empty()) {
        (Some(_), false) => return Ok(()),
        (None, false) => return Err(held("the invoice charges for a plan, and is of no subscription")),
        (_, true) => {}
    }
    let is_pack = |price: &ProviderId| report.catalog.pack_by_price_id(price.as_str()).is_some();
    let prices: Vec<ProviderId> = report.object.members("lines").filter_map(line::price_of).collect();
    let price = prices.iter().find(|price| !is_pack(price));
    if price.is_none() && !prices.is_empty() {
        return Ok(());
    }
    match (subscription, price) {
        (Some(_), Some(price)) => Err(held(format!("no plan of the catalog has the price {price}"))),
        (Some(_), None) => Err(held("the invoice is of a subscription, and none of its lines has a price")),
        (None, _) => Err(ignored("the invoice is of no subscription")),
    }
}

fn subscription(report: Report<'_>, lines: &[Line<'_>]) -> Option<ProviderId> {
    let of_invoice = report.object.first_id(&["parent.subscription_details.subscription", "subscription"]);
    of_invoice.or_else(|| lines.iter().find_map(|line| line.subscription.clone()))
}

/// What changed hands. Before 2025-03-31 money that was taken outside of Stripe is not in `amount_paid`.
fn money_paid(report: Report<'_>) -> Result<Money, SetAside> {
    if report.object.is_true("paid_out_of_band") {
        report.money(&["amount_due", "total"])
    } else {
        report.money(&["amount_paid"])
    }
}

fn attempt(report: Report<'_>) -> u32 {
    let count = report.object.integer("attempt_count");
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
}

/// What an invoice that is not paid yet is for. It may be unknown: nothing depends on it.
fn purpose(report: Report<'_>) -> PaymentPurpose {
    let lines = line::lines(report).unwrap_or_default();
    let plan = lines.iter().find(|line| line.amount > 0).map(|line| line.plan.id.clone());
    PaymentPurpose::Subscription { subscription: subscription(report, &lines), plan }
}

/// The periods that lines charge for in full.
fn periods(lines: &[Line<'_>]) -> Vec<PaidPeriod> {
    let paid = lines.iter().filter(|line| pays_period(line));
    paid.map(|line| PaidPeriod {
        plan: line.plan.id.clone(),
        quantity: line.quantity,
        period: line.period,
        cost: line.cost.clone(),
    })
    .collect()
}

/// A line of nothing for a plan that has a price is a trial's.
fn pays_period(line: &Line<'_>) -> bool {
    !line.is_proration && (line.amount > 0 || (line.amount == 0 && line.price.amount.minor == 0))
}

/// Changes of plan: each line that charges for the rest of a period, with the line that gives back for what
/// was held before; and the lines that are left over.
fn prorations<'a, 'b>(lines: &'b [Line<'a>]) -> (Vec<Proration>, Vec<&'b Line<'a>>) {
    let (charges, mut credits): (Vec<_>, Vec<_>) =
        lines.iter().filter(|line| line.is_proration).partition(|line| line.amount >= 0);
    let changes = charges.into_iter().map(|charge| proration(charge, take_match(&mut credits, charge)));
    (changes.collect(), credits)
}

/// Periods that were given back for others that begin at once, as when a month becomes a year. One that is given back
/// for nothing takes nothing away: it was paid for, and the plan was left.
fn left(lines: &[Line<'_>], given_back: &[&Line<'_>]) -> Vec<LeftPeriod> {
    let begins = |credit: &Line<'_>| {
        let mut whole = lines.iter().filter(|line| pays_period(line));
        whole.any(|line| line.period.start == credit.period.start && line.subscription == credit.subscription)
    };
    let left = given_back.iter().filter(|credit| begins(credit));
    left.map(|credit| LeftPeriod {
        line: credit.id.clone(),
        plan: credit.plan.id.clone(),
        quantity: credit.quantity,
        span: credit.period,
        interval: credit.price.interval,
    })
    .collect()
}

fn proration(charge: &Line<'_>, credit: Option<&Line<'_>>) -> Proration {
    Proration {
        line: charge.id.clone(),
        from: credit.map(|credit| (credit.plan.id.clone(), credit.quantity)),
        to: (charge.plan.id.clone(), charge.quantity),
        span: charge.period,
        interval: charge.price.interval,
        cost: charge.cost.clone(),
    }
}

/// The credit that begins with the charge, on the same subscription. It is used up.
fn take_match<'a, 'b>(credits: &mut Vec<&'b Line<'a>>, charge: &Line<'_>) -> Option<&'b Line<'a>> {
    let index = credits.iter().position(|credit| {
        credit.period.start == charge.period.start && credit.subscription == charge.subscription
    })?;
    Some(credits.remove(index))
}
