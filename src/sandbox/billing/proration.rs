//! What is the rest of a period worth? Counted by the second, rounded half away from zero.

use crate::sandbox::{
    failure::Failure,
    ids, money,
    objects::{
        line::Line,
        price::Price,
        subscription::{Item, Subscription},
    },
    state::State,
};

use super::calendar;

/// The part of `amount` that `part` seconds of `whole` are.
pub fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let (numerator, whole) = (i128::from(amount) * i128::from(part), i128::from(whole));
    let half = whole / 2;
    let rounded = if numerator < 0 { (numerator - half) / whole } else { (numerator + half) / whole };
    i64::try_from(rounded).unwrap_or(0)
}

/// A line for a whole period of an item.
pub fn period_line(
    state: &State,
    subscription: &Subscription,
    item: &Item,
    period: (i64, i64),
    free: bool,
) -> Result<Line, Failure> {
    let price = state.prices.get(&item.price)?;
    let amount = if free { 0 } else { price.unit_amount.saturating_mul(item.quantity) };
    let name = name_of(state, price);
    let description = if free {
        format!("Trial period for {name}")
    } else {
        let each = money::shown(price.unit_amount, &price.currency);
        format!("{} × {name} (at {each} / {})", item.quantity, interval_of(price))
    };
    Ok(Line {
        proration: false,
        invoice_item: None,
        ..line(subscription, item, price, amount, period, description)
    })
}

/// The two sides of a change: what was not used is given back, and what is left is asked for.
pub fn change_lines(
    state: &State,
    subscription: &Subscription,
    before: &Item,
    after: Option<&Item>,
    at: i64,
) -> Result<Vec<Line>, Failure> {
    let whole = before.period_end.saturating_sub(before.period_start);
    let left = before.period_end.saturating_sub(at).clamp(0, whole);
    let period = (at, before.period_end);
    let price = state.prices.get(&before.price)?;
    let unused = share(price.unit_amount.saturating_mul(before.quantity), left, whole).saturating_neg();
    let description = format!("Unused time on {} after {}", name_of(state, price), calendar::day(at));
    let mut lines = vec![line(subscription, before, price, unused, period, description)];
    if let Some(after) = after {
        let price = state.prices.get(&after.price)?;
        let rest = share(price.unit_amount.saturating_mul(after.quantity), left, whole);
        let description = format!("Remaining time on {} after {}", name_of(state, price), calendar::day(at));
        lines.push(line(subscription, after, price, rest, period, description));
    }
    Ok(lines)
}

fn line(
    subscription: &Subscription,
    item: &Item,
    price: &Price,
    amount: i64,
    period: (i64, i64),
    description: String,
) -> Line {
    Line {
        id: format!("il_{}", ids::letters(24)),
        amount,
        currency: price.currency.clone(),
        description,
        quantity: item.quantity,
        period,
        price: price.id.clone(),
        product: price.product.clone(),
        unit_amount: price.unit_amount,
        subscription: Some(subscription.id.clone()),
        subscription_item: Some(item.id.clone()),
        invoice_item: Some(format!("ii_{}", ids::letters(24))),
        proration: true,
        metadata: subscription.metadata.clone(),
    }
}

fn name_of(state: &State, price: &Price) -> String {
    state.products.find(&price.product).map_or_else(|| price.product.clone(), |product| product.name.clone())
}

fn interval_of(price: &Price) -> &'static str {
    price.recurring.map_or("once", |recurring| recurring.interval.as_str())
}
