//! What does a line of an invoice charge for?

use std::collections::BTreeMap;

use super::{SetAside, TranslationContext, held};
use crate::{
    domain::{
        amount::Money,
        catalog::{Plan, PlanPrice},
        fraction::Fraction,
        ids::ProviderId,
        invoice::ReturnedCredits,
        subscription::months_between,
        time::Period,
    },
    stripe::documents::Document,
};

/// The longest interval of a recurring price at Stripe, in months: three years ("Prices", `recurring.interval_count`).
const MONTHS_MAX: u32 = 36;

/// A line that charges for a plan, or gives money back for one.
#[derive(Clone)]
pub(super) struct PlanLine<'a> {
    pub(super) id: ProviderId,
    pub(super) plan: &'a Plan,
    pub(super) price: &'a PlanPrice,
    pub(super) quantity: u32,
    /// The line's own period. If a period is paid in advance, the invoice has the period before.
    pub(super) period: Period,
    pub(super) is_proration: bool,
    /// Whether it names the lines that it gives back, so that it does not charge, whatever its amount is.
    pub(super) credits: bool,
    /// The invoice of those lines.
    pub(super) gives_back: Option<ProviderId>,
    pub(super) subscription: Option<ProviderId>,
    /// Before discounts, in minor units; negative for what is given back.
    pub(super) amount: i64,
    /// After discounts, and without included tax.
    pub(super) cost: Money,
}

/// The lines about plans, and whether all of the invoice's lines could be read.
pub(super) fn lines(report: TranslationContext<'_>) -> Result<Vec<PlanLine<'_>>, SetAside> {
    let object = report.object;
    let total = object.integer("lines.total_count").and_then(|total| usize::try_from(total).ok());
    let here = object.members("lines").count();
    if object.is_cut_off("lines") || total.is_some_and(|total| total > here) {
        let because = format!("the event carries {here} of the invoice's lines, and there are more");
        return Err(SetAside::Incomplete(because));
    }
    let discount = InvoiceDiscount::of(object);
    let of_plans = object.members("lines").filter_map(|line| {
        let price_id = price_of(line)?;
        let (plan, price) = report.catalog.plan_by_price_id(price_id.as_str())?;
        Some((line, plan, price))
    });
    of_plans.map(|(line, plan, price)| read(report, line, plan, price, discount)).collect()
}

pub(super) fn price_of(line: Document<'_>) -> Option<ProviderId> {
    line.first_id(&["pricing.price_details.price", "price", "plan"])
}

/// The parents of a line, newest form first.
const PARENTS: [&str; 2] = ["parent.subscription_item_details", "parent.invoice_item_details"];

const CREDITED_ITEMS: &str = "proration_details.credited_items";

/// The invoice of which a line gives back a part, if it names one.
fn gives_back(line: Document<'_>) -> Option<ProviderId> {
    line.first(&PARENTS).unwrap_or(line).id(&format!("{CREDITED_ITEMS}.invoice"))
}

pub(super) fn is_proration(line: Document<'_>) -> bool {
    line.first(&PARENTS).unwrap_or(line).is_true("proration")
}

/// How much an invoice gives back of other invoices.
pub(super) fn given_back(invoice: Document<'_>) -> Result<BTreeMap<ProviderId, ReturnedCredits>, SetAside> {
    let mut sums: BTreeMap<ProviderId, ReturnedCredits> = BTreeMap::new();
    for line in invoice.members("lines") {
        let Some(of) = gives_back(line) else { continue };
        let until = line.time("period.end").ok_or_else(|| held("a line has no period"))?;
        let known = sums.entry(of).or_insert(ReturnedCredits { amount: 0, until });
        let amount = with_tax(line).and_then(|amount| known.amount.checked_sub(amount));
        known.amount = amount.ok_or_else(|| held("a line's amounts are out of bounds"))?;
        known.until = known.until.max(until);
    }
    sums.retain(|_, given_back| given_back.amount > 0);
    Ok(sums)
}

fn with_tax(line: Document<'_>) -> Option<i64> {
    let amount = line.integer("amount")?.checked_sub(sum(line, "discount_amounts")?)?;
    amount.checked_add(tax(line, "exclusive", false)?)
}

fn read<'a>(
    report: TranslationContext<'a>,
    line: Document<'a>,
    plan: &'a Plan,
    price: &'a PlanPrice,
    discount: InvoiceDiscount,
) -> Result<PlanLine<'a>, SetAside> {
    // A price is known by its id, in whatever currency it was paid.
    let currency = report.currency()?;
    let parent = line.first(&PARENTS);
    let amount = line.integer("amount").ok_or_else(|| held("a line has no whole amount"))?;
    let cost = cost(line, amount, discount).ok_or_else(|| held("a line's amounts are out of bounds"))?;
    Ok(PlanLine {
        id: line.id_of().ok_or_else(|| held("a line has no id that can be read"))?,
        plan,
        price,
        quantity: super::subscription::quantity(line)?,
        period: period(line)?,
        is_proration: is_proration(line),
        credits: parent.unwrap_or(line).find(CREDITED_ITEMS).is_some(),
        gives_back: gives_back(line),
        subscription: parent.and_then(|parent| parent.id("subscription")).or_else(|| line.id("subscription")),
        amount,
        cost: Money { minor: cost, currency },
    })
}

/// The period, with a bound, since each of its months gives credits.
fn period(line: Document<'_>) -> Result<Period, SetAside> {
    let bounds = line.time("period.start").zip(line.time("period.end"));
    let period = bounds.map(|(start, end)| Period { start, end }).filter(|period| period.start <= period.end);
    let period = period.ok_or_else(|| held("a line has no period"))?;
    let months = months_between(period.start, period.end);
    if months > MONTHS_MAX {
        return Err(held(format!(
            "a line is for {months} months, and Stripe charges for {MONTHS_MAX} at most"
        )));
    }
    Ok(period)
}

/// The amount of a line after discounts, and without included tax.
pub(super) fn cost_of(report: TranslationContext<'_>, line: Document<'_>) -> Result<i64, SetAside> {
    let amount = line.integer("amount").ok_or_else(|| held("a line has no whole amount"))?;
    let discount = InvoiceDiscount::of(report.object);
    cost(line, amount, discount).ok_or_else(|| held("a line's amounts are out of bounds"))
}

/// A discount on the whole invoice that its lines do not show: each line has its share.
#[derive(Clone, Copy)]
struct InvoiceDiscount {
    subtotal: i64,
    off: i64,
}

impl InvoiceDiscount {
    fn of(invoice: Document<'_>) -> Self {
        let in_lines = invoice.members("lines").any(|line| line.members("discount_amounts").next().is_some());
        let off = if in_lines { Some(0) } else { sum(invoice, "total_discount_amounts") };
        let subtotal = invoice.integer("subtotal").unwrap_or(0);
        Self { subtotal, off: off.unwrap_or(0).clamp(0, subtotal.max(0)) }
    }

    /// The rest of `amount` after the discount, rounded down.
    fn take_off(self, amount: i64) -> Option<i64> {
        if self.off == 0 || amount <= 0 {
            return Some(amount);
        }
        let rest = self.subtotal.checked_sub(self.off)?;
        let share = Fraction::new(i128::from(rest), i128::from(self.subtotal))?;
        Fraction::whole(amount).checked_mul(share)?.floor()
    }
}

fn cost(line: Document<'_>, amount: i64, discount: InvoiceDiscount) -> Option<i64> {
    let own = sum(line, "discount_amounts")?;
    let tax = tax(line, "inclusive", true)?;
    discount.take_off(amount.checked_sub(own)?.checked_sub(tax)?)
}

fn sum(of: Document<'_>, list: &str) -> Option<i64> {
    of.members(list).try_fold(0_i64, |sum, member| sum.checked_add(member.integer("amount").unwrap_or(0)))
}

/// The tax of one kind: by its name, or in the way in which API versions before 2025-03-31 distinguish them.
fn tax(line: Document<'_>, behaviour: &str, inclusive: bool) -> Option<i64> {
    let newer = line.members("taxes").filter(|tax| tax.text("tax_behavior") == Some(behaviour));
    let older = line.members("tax_amounts").filter(|tax| tax.is_true("inclusive") == inclusive);
    newer.chain(older).try_fold(0_i64, |sum, tax| sum.checked_add(tax.integer("amount").unwrap_or(0)))
}
