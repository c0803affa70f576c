//! What did a paid invoice pay for, and which invoice is not paid?
//!
//! The lines decide, and not the paid amount: it is 0 for a trial, which gives nothing, but also for a full discount or
//! a payment from the customer's balance, which give everything.

use super::{
    SetAside, Translation, TranslationContext, TranslationStep, held, ignored,
    line::{self, PlanLine},
    packs, payment,
};
use crate::{
    domain::{
        amount::Money,
        command::{Command, InvoiceLine, PurchaseCommand, RecordPaidInvoice},
        event::PaymentPurpose,
        ids::ProviderId,
        invoice::{InvoiceState, LineEffect, UnpaidCharge, UnpaidInvoice},
    },
    stripe::documents::{Document, quoted},
};

/// The current items of the invoice's subscription, which no event has.
pub(in crate::stripe) const SUBSCRIPTION_ITEMS: &str = "subscription_items";

/// `invoice.payment_succeeded` reports the same as `invoice.paid`, and has the same key.
pub(super) fn paid(report: TranslationContext<'_>) -> Translation {
    let invoice = report.id()?;
    check_is_paid(report)?;
    let lines = line::lines(report)?;
    let subscription = subscription(report, &lines);
    let money = money_paid(report)?;
    let paid_at = report.object.time("status_transitions.paid_at").unwrap_or_else(|| report.at());
    let packs = packs::of_invoice(report, &money, paid_at)?;
    let links = payments(report.object).map(|payment| payment::link(payment, invoice.clone(), report));
    if lines.is_empty() && !packs.is_empty() && subscription.is_none() {
        return report.instruct(links.chain(packs).collect());
    }
    check_is_known(report, &lines, subscription.as_ref())?;
    let total = report.object.integer("total").unwrap_or(money.minor);
    let command = RecordPaidInvoice {
        invoice: invoice.clone(),
        subscription,
        total,
        credited: report.object.integer("pre_payment_credit_notes_amount").unwrap_or(0).max(0),
        from_balance: from_balance(report.object).min(total.max(0)),
        gives_back: line::given_back(report.object)?,
        money,
        lines: invoice_lines(&lines),
        created_at: report.object.time("created").unwrap_or_else(|| report.at()).min(report.at()),
        finalized_at: report.object.time("status_transitions.finalized_at"),
        effective_at: paid_at,
    };
    let says_nothing = command.lines.is_empty() && command.gives_back.is_empty();
    if says_nothing && command.total == 0 && command.money.minor == 0 && packs.is_empty() {
        return Err(ignored("nothing was charged, as when a trial begins"));
    }
    let paid = TranslationStep::new(
        format!("invoice_paid:{invoice}"),
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(command)),
    );
    report.instruct(links.chain([paid]).chain(packs).collect())
}

fn invoice_lines(lines: &[PlanLine<'_>]) -> Vec<InvoiceLine> {
    let effects = lines.iter().filter_map(|line| Some((line, effect(line, lines)?)));
    let read = effects.map(|(line, effect)| InvoiceLine {
        line: line.id.clone(),
        plan: line.plan.id.clone(),
        quantity: line.quantity,
        period: line.period,
        interval: line.price.interval,
        effect,
        gives_back: line.gives_back.clone(),
        full: is_full(line),
        free: line.price.amount.minor == 0,
        cost: line.cost.clone(),
    });
    read.collect()
}

/// What a line does. `None`: nothing, since it is a line of a trial: it charges nothing for a plan that has a price.
fn effect(line: &PlanLine<'_>, lines: &[PlanLine<'_>]) -> Option<LineEffect> {
    if line.amount < 0 || line.credits {
        return Some(LineEffect::Credit);
    }
    // The first tiers of a price may cost nothing.
    let tier = |other: &PlanLine<'_>| {
        other.amount > 0 && other.plan.id == line.plan.id && other.period == line.period
    };
    let charges = line.amount > 0 || line.price.amount.minor == 0 || lines.iter().any(tier);
    match (charges, line.is_proration) {
        (true, _) => Some(LineEffect::Charge),
        (false, true) => Some(LineEffect::Nothing),
        (false, false) => None,
    }
}

/// Whether the whole price was charged.
fn is_full(line: &PlanLine<'_>) -> bool {
    let price = line.price.amount.minor.checked_mul(i64::from(line.quantity));
    let same_currency = line.cost.currency == line.price.amount.currency;
    !line.is_proration && same_currency && price.is_some_and(|price| price > 0 && price <= line.amount)
}

/// An invoice that awaits its payment. For a renewal this is ignored, since what was paid before is bridged.
pub(super) fn finalized(report: TranslationContext<'_>) -> Translation {
    let waits = report.object.text("status") == Some("open");
    if !waits || report.object.integer("amount_due").is_none_or(|due| due <= 0) {
        return Err(ignored("nothing is to be paid"));
    }
    unpaid(report, InvoiceState::Open, "open")
}

pub(super) fn voided(report: TranslationContext<'_>) -> Translation {
    unpaid(report, InvoiceState::Void, "void")
}

pub(super) fn uncollectible(report: TranslationContext<'_>) -> Translation {
    unpaid(report, InvoiceState::Uncollectible, "uncollectible")
}

fn unpaid(report: TranslationContext<'_>, state: InvoiceState, name: &str) -> Translation {
    let step = unpaid_step(report, state, name)?;
    report.instruct(vec![step.ok_or_else(|| ignored("the invoice is of no plan's subscription"))?])
}

fn unpaid_step(
    report: TranslationContext<'_>,
    state: InvoiceState,
    name: &str,
) -> Result<Option<TranslationStep>, SetAside> {
    let invoice = report.id()?;
    let lines = line::lines(report)?;
    let Some(subscription) = subscription(report, &lines).filter(|_| !lines.is_empty()) else {
        return Ok(None);
    };
    let charged = lines.iter().filter(|line| effect(line, &lines) == Some(LineEffect::Charge));
    let charges = charged.map(|line| UnpaidCharge { plan: line.plan.id.clone(), period: line.period });
    let key = format!("invoice_{name}:{invoice}");
    let is_change = report.object.text("billing_reason") == Some("subscription_update");
    let invoice = UnpaidInvoice {
        invoice,
        subscription,
        state,
        is_change,
        charges: charges.collect(),
        from_balance: from_balance(report.object),
        finalized_at: report.object.time("status_transitions.finalized_at"),
    };
    let command =
        Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at: report.at() });
    Ok(Some(TranslationStep::new(key, command)))
}

/// The payments that the invoice itself names: one before API version 2025-03-31, and since then only if the list was
/// requested.
pub fn payments(invoice: Document<'_>) -> impl Iterator<Item = ProviderId> {
    let older = invoice.first_id(&["payment_intent", "charge"]);
    let newer = invoice.members("payments").filter(|payment| payment.text("status") == Some("paid"));
    let newer = newer.filter_map(|payment| payment.first_id(&["payment.payment_intent", "payment.charge"]));
    older.into_iter().chain(newer)
}

pub(super) fn failed(report: TranslationContext<'_>) -> Translation {
    let invoice = report.id()?;
    let attempt = attempt(report);
    let failed = TranslationStep::new(
        format!("invoice_failed:{invoice}:{attempt}"),
        Command::Purchase(PurchaseCommand::RecordFailedPayment {
            payment: invoice,
            money: report.money(&["amount_due"])?,
            purpose: purpose(report),
            attempt,
            effective_at: report.at(),
        }),
    );
    let unpaid = unpaid_step(report, InvoiceState::Failed, "unpaid").unwrap_or_default();
    report.instruct([failed].into_iter().chain(unpaid).collect())
}

pub(super) fn action_required(report: TranslationContext<'_>) -> Translation {
    let invoice = report.id()?;
    let step = TranslationStep::new(
        format!("invoice_action:{invoice}:{}", attempt(report)),
        Command::Purchase(PurchaseCommand::RecordActionRequired {
            payment: invoice,
            money: report.money(&["amount_due"])?,
            effective_at: report.at(),
        }),
    );
    report.instruct(vec![step])
}

fn check_is_paid(report: TranslationContext<'_>) -> Result<(), SetAside> {
    match report.object.text("status") {
        // Some senders leave the status out; the event itself says that the invoice is paid.
        Some("paid") | None => Ok(()),
        Some("draft" | "open" | "void" | "uncollectible") => {
            Err(held("the event says that the invoice is paid, and the invoice says that it is not"))
        }
        Some(other) => Err(held(format!("the invoice's status is {}, which is unknown", quoted(other)))),
    }
}

/// Checks that an invoice without plan lines can be ignored.
/// If it belongs to a subscription of an unknown plan it waits for the catalog, and if it is for other items of a known
/// subscription it gives nothing; all others are not about accounts.
fn check_is_known(
    report: TranslationContext<'_>,
    lines: &[PlanLine<'_>],
    subscription: Option<&ProviderId>,
) -> Result<(), SetAside> {
    let is_pack = |price: &ProviderId| report.catalog.pack_by_price_id(price.as_str()).is_some();
    let is_plan = |price: &ProviderId| report.catalog.plan_by_price_id(price.as_str()).is_some();
    let prices: Vec<ProviderId> = report.object.members("lines").filter_map(line::price_of).collect();
    let charged =
        report.object.members("lines").filter(|line| line.integer("amount").is_none_or(|amount| amount >= 0));
    let unknown = charged.filter_map(line::price_of).filter(|price| !is_pack(price) && !is_plan(price));
    let unknown: Vec<ProviderId> = unknown.collect();
    let charges_for_a_plan = lines.iter().any(|line| effect(line, lines) != Some(LineEffect::Credit));
    match (subscription, unknown.first()) {
        (None, _) if !lines.is_empty() => {
            Err(held("the invoice charges for a plan, and is of no subscription"))
        }
        (Some(_), _) if charges_for_a_plan => Ok(()),
        (Some(_), Some(first)) => check_are_beside_a_plan(report, lines, &unknown, first),
        (Some(_), None) if lines.is_empty() && prices.is_empty() => {
            Err(held("the invoice is of a subscription, and none of its lines has a price"))
        }
        (None, _) if prices.is_empty() || !prices.iter().all(is_pack) => {
            Err(ignored("the invoice is of no subscription"))
        }
        (Some(_), None) | (None, _) => Ok(()),
    }
}

/// The subscription that an invoice itself names.
pub(in crate::stripe) fn named_subscription(invoice: Document<'_>) -> Option<ProviderId> {
    invoice.first_id(&["parent.subscription_details.subscription", "subscription"])
}

fn subscription(report: TranslationContext<'_>, lines: &[PlanLine<'_>]) -> Option<ProviderId> {
    named_subscription(report.object).or_else(|| lines.iter().find_map(|line| line.subscription.clone()))
}

/// Checks that unknown prices are add-ons, because the subscription has them besides a plan.
/// Otherwise, one may be the price of a plan that the catalog lacks.
/// An add-on may be gone by the time the subscription is read.
/// If it was charged inside of a period and no plan is given back, it did not replace a plan.
/// What is only given back needs no check.
fn check_are_beside_a_plan(
    report: TranslationContext<'_>,
    lines: &[PlanLine<'_>],
    unknown: &[ProviderId],
    first: &ProviderId,
) -> Result<(), SetAside> {
    let because = format!("no plan of the catalog has the price {first}");
    let is_fetched = report.object.find(SUBSCRIPTION_ITEMS).is_some();
    if !is_fetched && named_subscription(report.object).is_some() {
        return Err(SetAside::Incomplete(because));
    }
    let items = report.object.members(SUBSCRIPTION_ITEMS);
    let items: Vec<ProviderId> = items.filter_map(|item| item.first_id(&["price", "plan"])).collect();
    let has_plan = items.iter().any(|item| report.catalog.plan_by_price_id(item.as_str()).is_some());
    let were_beside = lines.is_empty() && report.object.members("lines").all(line::is_proration);
    if has_plan && (were_beside || unknown.iter().all(|price| items.contains(price))) {
        Ok(())
    } else {
        Err(held(because))
    }
}

/// The amount that was paid. Before API version 2025-03-31, `amount_paid` does not include money outside of Stripe.
fn money_paid(report: TranslationContext<'_>) -> Result<Money, SetAside> {
    if report.object.is_true("paid_out_of_band") {
        report.money(&["amount_due", "total"])
    } else {
        report.money(&["amount_paid"])
    }
}

/// How much the customer's balance paid. At Stripe, a balance in the customer's favour is negative.
fn from_balance(invoice: Document<'_>) -> i64 {
    let balance = |name: &str| invoice.integer(name).unwrap_or(0);
    balance("ending_balance").min(0).saturating_sub(balance("starting_balance").min(0)).max(0)
}

fn attempt(report: TranslationContext<'_>) -> u32 {
    let count = report.object.integer("attempt_count");
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
}

/// What an unpaid invoice is for. It may be unknown, since nothing depends on it.
fn purpose(report: TranslationContext<'_>) -> PaymentPurpose {
    let lines = line::lines(report).unwrap_or_default();
    let plan = lines.iter().find(|line| line.amount > 0).map(|line| line.plan.id.clone());
    PaymentPurpose::Subscription { subscription: subscription(report, &lines), plan }
}
