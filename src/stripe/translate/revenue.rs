//! What does a subscription bring in each month?
//!
//! Month ÷ n, year ÷ 12 n, week × 52 ÷ 12 n, day × 365 ÷ 12 n, rounded half-even once, at the end. Metered
//! usage is left out, and so is a discount that ends. A discount of which the event has only the id is not
//! known to last and takes nothing off: what it is can only be asked of Stripe.

use super::{SetAside, fraction::Fraction, held};
use crate::{
    domain::catalog::{Interval, PlanPrice},
    stripe::document::{Document, quoted},
};

/// Minor units a month. `plan_item` is the item that the plan comes from, at `price`: it says how often the
/// subscription as a whole is charged.
pub(super) fn monthly(
    subscription: Document<'_>,
    plan_item: Document<'_>,
    price: &PlanPrice,
) -> Result<i64, SetAside> {
    let mut sum = Some(Fraction::ZERO);
    for item in subscription.members("items").filter(|item| !is_metered(*item)) {
        let times = times_a_month(item, price)?;
        let charged = charged(item, price).and_then(|charged| less_discounts(charged, item));
        sum = sum.and_then(|sum| sum.checked_add(charged?.checked_mul(times)?));
    }
    let times = times_a_month(plan_item, price)?;
    let rounded =
        sum.and_then(|sum| less_discounts_at(sum, subscription, times)).and_then(Fraction::round_half_even);
    rounded.ok_or_else(|| held("what the subscription costs a month is not a number that can be kept"))
}

fn is_metered(item: Document<'_>) -> bool {
    item.first(&["price.recurring", "plan"]).and_then(|price| price.text("usage_type")) == Some("metered")
}

/// What one charge of the item comes to. A tiered price has no unit amount: of a plan the catalog knows it,
/// of anything else nothing is counted.
fn charged(item: Document<'_>, plan_price: &PlanPrice) -> Option<Fraction> {
    let quantity = Fraction::whole(item.integer("quantity").unwrap_or(1));
    let paths = ["price.unit_amount_decimal", "price.unit_amount", "plan.amount_decimal", "plan.amount"];
    let unit = match paths.iter().find_map(|path| item.decimal(path)) {
        Some(decimal) => Fraction::parse(&decimal)?,
        None if is_plan(item, plan_price) => Fraction::whole(plan_price.amount.minor),
        None => Fraction::ZERO,
    };
    unit.checked_mul(quantity)
}

fn is_plan(item: Document<'_>, price: &PlanPrice) -> bool {
    item.first_id(&["price", "plan"]).is_some_and(|id| price.stripe.has(id.as_str()))
}

/// How many charges fall on a month.
fn times_a_month(item: Document<'_>, plan_price: &PlanPrice) -> Result<Fraction, SetAside> {
    let recurring = item.find("price.recurring").or_else(|| item.find("plan"));
    let interval = recurring.and_then(|recurring| recurring.text("interval"));
    let count = recurring.and_then(|recurring| recurring.integer("interval_count")).unwrap_or(1);
    let (numerator, denominator) = match interval {
        Some("month") => (1, 1),
        Some("year") => (1, 12),
        Some("week") => (52, 12),
        Some("day") => (365, 12),
        Some(other) => return Err(held(format!("a price is charged every {}", quoted(other)))),
        None => match plan_price.interval {
            Interval::Month => (1, 1),
            Interval::Year => (1, 12),
        },
    };
    let count = i128::from(count.max(1));
    Fraction::new(numerator, denominator * count).ok_or_else(|| held("a price's interval is out of bounds"))
}

fn less_discounts(amount: Fraction, of: Document<'_>) -> Option<Fraction> {
    less_discounts_at(amount, of, Fraction::whole(1))
}

/// Takes off what lasts forever. An amount off is taken from each charge, of which `times` fall on a month.
fn less_discounts_at(amount: Fraction, of: Document<'_>, times: Fraction) -> Option<Fraction> {
    let discounts: Vec<_> = of.members("discounts").collect();
    // The older field repeats the first of the list.
    let older = of.find("discount").filter(|_| discounts.is_empty());
    let coupons = discounts.into_iter().chain(older);
    let coupons = coupons.filter_map(|discount| discount.first(&["source.coupon", "coupon"]));
    let lasting = coupons.filter(|coupon| coupon.text("duration") == Some("forever"));
    lasting.into_iter().try_fold(amount, |amount, coupon| less_coupon(amount, coupon, times))
}

fn less_coupon(amount: Fraction, coupon: Document<'_>, times: Fraction) -> Option<Fraction> {
    if let Some(percent) = coupon.decimal("percent_off") {
        let off = Fraction::parse(&percent)?.checked_mul(Fraction::new(1, 100)?)?;
        let rest = Fraction::whole(1).checked_sub(off)?.at_least_zero();
        return amount.checked_mul(rest);
    }
    let off = coupon.integer("amount_off").map_or(Fraction::ZERO, Fraction::whole);
    amount.checked_sub(off.checked_mul(times)?).map(Fraction::at_least_zero)
}
