//! What is the monthly revenue of a subscription?
//!
//! Month ÷ n, year ÷ 12 n, week × 52 ÷ 12 n, day × 365 ÷ 12 n, rounded half to even once, at the end.
//! Metered usage and discounts for a limited time are left out.
//! A discount of which only the id is known takes nothing off; its terms were inserted before, if Stripe returned them.
//! A discount of the customer is not included: the ledger applies it as long as it holds.
//!
//! A price may have amounts in several currencies.
//! Those in other currencies than its own are in its options, if they were requested; else the amount counts in the
//! price's own currency.

use super::{
    SetAside,
    discount::{self, COUPON_AT},
    held,
};
use crate::{
    domain::{
        catalog::{Interval, PlanPrice},
        discounts::Undiscounted,
        fraction::Fraction,
    },
    stripe::documents::{Document, quoted},
};

/// The currency of `monthly`. Since 2022 subscriptions have one themselves; before, only their prices had.
pub(super) fn currency<'a>(subscription: Document<'a>, item: Document<'a>) -> Result<&'a str, SetAside> {
    let own = item.first(&["price", "plan"]).and_then(|price| price.text("currency"));
    let charged = subscription.text("currency");
    match (charged, own) {
        (Some(charged), Some(own)) if charged != own && option(item, charged).is_none() => Ok(own),
        (Some(code), _) | (None, Some(code)) => Ok(code),
        (None, None) => Err(held("the object has no currency")),
    }
}

/// The price's amount in another currency than its own.
fn option<'a>(item: Document<'a>, currency: &str) -> Option<Document<'a>> {
    item.find("price.currency_options")?.find(currency)
}

/// The revenue of a subscription.
pub(super) struct Brought {
    /// Minor units a month.
    pub(super) monthly: i64,
    /// The exact revenue, if the subscription has no discounts of its own, so that its customer's discount applies.
    pub(super) undiscounted: Option<Undiscounted>,
}

/// `plan_item`: the item of the plan, at `price`. It says how often the whole subscription is charged.
pub(super) fn monthly(
    subscription: Document<'_>,
    plan_item: Document<'_>,
    price: Option<&PlanPrice>,
    currency: &str,
) -> Result<Brought, SetAside> {
    let mut sum = Some(Fraction::ZERO);
    for item in subscription.members("items").filter(|item| !is_metered(*item)) {
        let times = times_a_month(item, price)?;
        let charged = charged(item, price, currency)
            .and_then(|charged| less_discounts(charged, item, Fraction::whole(1), currency));
        sum = sum.and_then(|sum| sum.checked_add(charged?.checked_mul(times)?));
    }
    let times = times_a_month(plan_item, price)?;
    let exact = sum.and_then(|sum| less_discounts(sum, subscription, times, currency));
    let rounded = exact.and_then(|exact| Some((exact, exact.round_half_even()?)));
    let (exact, monthly) = rounded
        .ok_or_else(|| held("what the subscription costs a month is not a number that can be kept"))?;
    let customer = subscription.id("customer").filter(|_| discounts(subscription).is_empty());
    let undiscounted = customer.map(|customer| Undiscounted { customer, monthly: exact, charges: times });
    Ok(Brought { monthly, undiscounted })
}

fn is_metered(item: Document<'_>) -> bool {
    item.first(&["price.recurring", "plan"]).and_then(|price| price.text("usage_type")) == Some("metered")
}

/// The amount of one charge of the item.
/// A price with tiers has no unit amount: for a plan the catalog has it, and other items do not count.
fn charged(item: Document<'_>, plan_price: Option<&PlanPrice>, currency: &str) -> Option<Fraction> {
    let paths = ["price.unit_amount_decimal", "price.unit_amount", "plan.amount_decimal", "plan.amount"];
    let elsewhere = option(item, currency).and_then(|option| {
        ["unit_amount_decimal", "unit_amount"].iter().find_map(|path| option.decimal(path))
    });
    let unit = match elsewhere.or_else(|| paths.iter().find_map(|path| item.decimal(path))) {
        Some(decimal) => Fraction::parse(&decimal)?,
        None => plan_price
            .filter(|price| is_plan(item, price))
            .map_or(Fraction::ZERO, |price| Fraction::whole(price.amount.minor)),
    };
    unit.checked_mul(Fraction::whole(packages(item)?))
}

/// How many units are charged: the quantity, or, for a price per package, the number of packages.
fn packages(item: Document<'_>) -> Option<i64> {
    let quantity = item.integer("quantity").unwrap_or(1);
    let Some(package) = item.first(&["price.transform_quantity", "plan.transform_usage"]) else {
        return Some(quantity);
    };
    let size = package.integer("divide_by").filter(|size| *size > 0)?;
    let whole = quantity.div_euclid(size);
    let is_begun = package.text("round") == Some("up") && quantity.rem_euclid(size) > 0;
    whole.checked_add(i64::from(is_begun))
}

fn is_plan(item: Document<'_>, price: &PlanPrice) -> bool {
    item.first_id(&["price", "plan"]).is_some_and(|id| price.stripe.has(id.as_str()))
}

/// How many charges there are in a month.
fn times_a_month(item: Document<'_>, plan_price: Option<&PlanPrice>) -> Result<Fraction, SetAside> {
    let recurring = item.find("price.recurring").or_else(|| item.find("plan"));
    let interval = recurring.and_then(|recurring| recurring.text("interval"));
    let count = recurring.and_then(|recurring| recurring.integer("interval_count")).unwrap_or(1);
    let (numerator, denominator) = match interval {
        Some("month") => (1, 1),
        Some("year") => (1, 12),
        Some("week") => (52, 12),
        Some("day") => (365, 12),
        Some(other) => return Err(held(format!("a price is charged every {}", quoted(other)))),
        None => match plan_price.map(|price| price.interval) {
            Some(Interval::Month) | None => (1, 1),
            Some(Interval::Year) => (1, 12),
        },
    };
    let count = i128::from(count.max(1));
    Fraction::new(numerator, denominator * count).ok_or_else(|| held("a price's interval is out of bounds"))
}

/// Subtracts discounts that last for ever.
/// A fixed amount is subtracted from each charge, of which there are `charges` a month.
fn less_discounts(amount: Fraction, of: Document<'_>, charges: Fraction, currency: &str) -> Option<Fraction> {
    let coupons = discounts(of).into_iter();
    let coupons = coupons.filter_map(|discount| discount.first(&COUPON_AT));
    let lasting = coupons.filter(|coupon| coupon.text("duration") == Some("forever"));
    let off = lasting.filter_map(discount::read);
    off.into_iter().try_fold(amount, |amount, off| off.leaves(amount, charges, currency))
}

/// The list of discounts, with the one that the older field has in full.
fn discounts(of: Document<'_>) -> Vec<Document<'_>> {
    let older = of.find("discount");
    let listed: Vec<_> = of.members("discounts").collect();
    if listed.is_empty() {
        return older.into_iter().collect();
    }
    let whole = |discount: Document<'_>| {
        let is_told = discount.first(&["source", "coupon"]).is_some();
        older.filter(|older| !is_told && older.id_of() == discount.id_of())
    };
    listed.into_iter().map(|discount| whole(discount).unwrap_or(discount)).collect()
}
