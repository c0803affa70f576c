//! Which discount does a customer have, for its subscriptions without discounts of their own?
//!
//! A discount has its own id, its own beginning, and terms that do not change, so all events about it report the same
//! fact.
//! Discounts of a subscription, an item or an invoice are not a customer's discount.

use super::{SetAside, Translation, TranslationContext, TranslationStep, held, ignored};
use crate::{
    domain::{
        amount::{Currency, Money},
        command::{Command, CustomerCommand},
        discounts::{DiscountReport, DiscountStep, TakenOff},
        fraction::Fraction,
        ids::ProviderId,
        time::Timestamp,
    },
    stripe::documents::Document,
};

/// The fields that say what a discount is for, if it is not for everything that its customer pays.
pub(in crate::stripe) const FOR_LESS: [&str; 5] =
    ["subscription", "subscription_item", "invoice", "invoice_item", "checkout_session"];
/// Where the coupon of a discount is, newest form first.
pub(super) const COUPON_AT: [&str; 2] = ["source.coupon", "coupon"];

/// `customer.discount.created`, `customer.discount.updated`: the customer has this discount now.
pub(super) fn begun(report: TranslationContext<'_>) -> Translation {
    let customer = customer(report)?;
    let step = begins(&customer, report.object, report.at())?;
    let replaced = replaced(report, &customer, report.object.id_of(), report.event.previous());
    report.instruct(replaced.into_iter().chain([step]).collect())
}

/// `customer.discount.deleted`
pub(super) fn ended(report: TranslationContext<'_>) -> Translation {
    let customer = customer(report)?;
    report.instruct(vec![ends(&customer, report.id()?, report.at())])
}

/// The discounts in a customer object: the current one, and the one before.
/// The coupon's terms may only be in the discount's own event.
pub(super) fn of_customer(report: TranslationContext<'_>, customer: &ProviderId) -> Vec<TranslationStep> {
    let now = report.object.find("discount");
    let step = now.and_then(|discount| begins(customer, discount, report.at()).ok());
    let before = report.event.previous().and_then(|previous| previous.find("discount"));
    replaced(report, customer, now.and_then(Document::id_of), before).into_iter().chain(step).collect()
}

/// The customer's discount in a report on a subscription, if it is there in full.
pub(super) fn of_subscription(report: TranslationContext<'_>) -> Option<TranslationStep> {
    let customer = report.object.id("customer")?;
    begins(&customer, report.object.find("customer.discount")?, report.at()).ok()
}

/// The customer of a discount that is for all that the customer pays.
fn customer(report: TranslationContext<'_>) -> Result<ProviderId, SetAside> {
    if report.object.first(&FOR_LESS).is_some() {
        return Err(ignored("what it is for tells it, too"));
    }
    report.object.id("customer").ok_or_else(|| held("the discount names no customer"))
}

fn begins(
    customer: &ProviderId,
    discount: Document<'_>,
    told_at: Timestamp,
) -> Result<TranslationStep, SetAside> {
    let id = discount.id_of().ok_or_else(|| held("the discount has no id that can be read"))?;
    let off = taken_off(discount)?;
    let at = discount.time("start").unwrap_or(told_at);
    let told =
        DiscountReport { customer: customer.clone(), discount: id, what: DiscountStep::Begun(off), at };
    Ok(TranslationStep::new(
        format!("discount:{}", told.discount),
        Command::Customer(CustomerCommand::RecordDiscount(told)),
    ))
}

fn ends(customer: &ProviderId, discount: ProviderId, at: Timestamp) -> TranslationStep {
    let key = format!("discount_ended:{discount}:{}", at.seconds());
    let told = DiscountReport { customer: customer.clone(), discount, what: DiscountStep::Ended, at };
    TranslationStep::new(key, Command::Customer(CustomerCommand::RecordDiscount(told)))
}

/// The end of the earlier discount, if it is another one.
fn replaced(
    report: TranslationContext<'_>,
    customer: &ProviderId,
    now: Option<ProviderId>,
    before: Option<Document<'_>>,
) -> Option<TranslationStep> {
    let before = before?.id_of().filter(|before| now.as_ref() != Some(before))?;
    Some(ends(customer, before, report.at()))
}

/// What a discount takes off. `None`: it lasts for a limited time.
fn taken_off(discount: Document<'_>) -> Result<Option<TakenOff>, SetAside> {
    let coupon = discount.first(&COUPON_AT);
    let told = coupon.filter(|coupon| coupon.text("duration").is_some());
    let coupon = told.ok_or_else(|| {
        SetAside::Incomplete("what is behind the coupon of the discount is not known".to_owned())
    })?;
    if coupon.text("duration") != Some("forever") || discount.find("end").is_some() {
        return Ok(None);
    }
    read(coupon).map(Some).ok_or_else(|| held("the coupon takes off nothing that can be read"))
}

/// What a coupon takes off each charge. `None`: not readable, or more than there is.
pub(super) fn read(coupon: Document<'_>) -> Option<TakenOff> {
    if let Some(percent) = coupon.decimal("percent_off") {
        let percent = Fraction::parse(&percent).filter(|percent| !percent.is_negative())?;
        let rest = Fraction::whole(100).checked_sub(percent)?;
        return (!rest.is_negative()).then_some(TakenOff::Percent(percent));
    }
    let currency = coupon.text("currency").and_then(|code| Currency::parse(code).ok())?;
    let minor = coupon.integer("amount_off").filter(|amount| *amount >= 0)?;
    Some(TakenOff::Amount(Money { minor, currency }))
}
