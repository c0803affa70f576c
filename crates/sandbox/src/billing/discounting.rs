//! Which discounts apply to an invoice? Those of the item and the subscription, or else that of the customer.

use serde_json::Value;

use crate::{
    calendar::{self, SandboxInterval},
    failure::SandboxFailure,
    ids,
    money::share,
    objects::Shown,
    state::SandboxState,
    store::{
        coupon::{AppliedCoupon, Coupon, Lasts, Off, Redeemed, WHOLE},
        line::SandboxInvoiceLine,
        subscription::SandboxSubscription,
    },
};

/// Applies a coupon to a customer, a subscription or an item.
pub fn redeem(
    state: &mut SandboxState,
    redeemed: &Redeemed,
    customer: &str,
    subscription: Option<&str>,
    item: Option<&str>,
    session: Option<&str>,
) -> Result<String, SandboxFailure> {
    let now = state.store.now;
    let coupon = state.store.coupons.get_mut(&redeemed.coupon).map_err(|failure| failure.status(400))?;
    if !coupon.is_valid(now) {
        let message = format!("Coupon {} is not valid any more.", coupon.id);
        return Err(SandboxFailure::invalid(message).code("coupon_expired"));
    }
    coupon.times_redeemed = coupon.times_redeemed.saturating_add(1);
    let end = match coupon.lasts {
        Lasts::Months(months) => Some(calendar::add(now, SandboxInterval::Month, months)),
        Lasts::Once | Lasts::Forever => None,
    };
    if let Some(code) = &redeemed.promotion_code {
        let code = state.store.promotion_codes.get_mut(code)?;
        code.times_redeemed = code.times_redeemed.saturating_add(1);
    }
    let id = format!("di_{}", ids::letters(24));
    state.store.discounts.put(AppliedCoupon {
        id: id.clone(),
        start: now,
        end,
        coupon: redeemed.coupon.clone(),
        promotion_code: redeemed.promotion_code.clone(),
        customer: customer.to_owned(),
        subscription: subscription.map(str::to_owned),
        subscription_item: item.map(str::to_owned),
        checkout_session: session.map(str::to_owned),
    });
    let object = state.store.discounts.get(&id)?.render(&state.store);
    state.emit("customer.discount.created", object);
    Ok(id)
}

/// Emits that a discount has ended, and returns the discount.
pub fn end_discount(state: &mut SandboxState, id: &str) -> Result<Value, SandboxFailure> {
    let object = state.store.discounts.get(id)?.render(&state.store);
    state.emit("customer.discount.deleted", object.clone());
    Ok(object)
}

fn in_force<'a>(state: &'a SandboxState, id: &str, at: i64) -> Option<(&'a AppliedCoupon, &'a Coupon)> {
    let discount = state.store.discounts.find(id)?;
    let coupon = state.store.coupons.find(&discount.coupon)?;
    discount.end.is_none_or(|end| at < end).then_some((discount, coupon))
}

/// The ids of the discounts that apply to lines of an item.
fn discounts_of(state: &SandboxState, row: &SandboxSubscription, item: Option<&str>) -> Vec<String> {
    let own = row.items.iter().find(|other| Some(other.id.as_str()) == item);
    let mut ids: Vec<String> = own.map(|item| item.discounts.clone()).unwrap_or_default();
    ids.extend(row.discounts.iter().cloned());
    if ids.is_empty() {
        ids.extend(state.store.customers.find(&row.customer).and_then(|customer| customer.discount.clone()));
    }
    ids
}

/// Takes the discounts that are valid at a time off the lines of a new invoice.
/// Prorations have them in their amounts already.
pub fn discount(state: &SandboxState, subscription: Option<&str>, lines: &mut [SandboxInvoiceLine], at: i64) {
    let Some(row) = subscription.and_then(|id| state.store.subscriptions.find(id)) else { return };
    // A fixed amount is taken off once per invoice, and not once per line.
    let mut left: Vec<(String, i64)> = Vec::new();
    for line in lines.iter_mut().filter(|line| !line.proration) {
        for id in discounts_of(state, row, line.subscription_item.as_deref()) {
            let Some((_, coupon)) = in_force(state, &id, at) else { continue };
            if !coupon.products.is_empty() && !coupon.products.contains(&line.product) {
                continue;
            }
            let amount = match coupon.off {
                Off::Percent(hundredths) => share(line.net(), hundredths, WHOLE),
                Off::Amount(amount) => {
                    if !left.iter().any(|(known, _)| *known == id) {
                        left.push((id.clone(), amount));
                    }
                    let rest = left.iter_mut().find(|(known, _)| *known == id);
                    rest.map_or(0, |(_, rest)| {
                        let taken = line.net().clamp(0, (*rest).max(0));
                        *rest = rest.saturating_sub(taken);
                        taken
                    })
                }
            };
            if amount > 0 {
                line.discounts.push((id, amount));
            }
        }
    }
}

/// What a proration of an item costs after discounts, in minor units.
pub fn discounted(state: &SandboxState, row: &SandboxSubscription, item: &str, cost: i64) -> i64 {
    let ids = discounts_of(state, row, Some(item));
    let coupons =
        ids.iter().filter_map(|id| in_force(state, id, state.store.now)).map(|(_, coupon)| coupon.off);
    coupons.fold(cost, |cost, off| match off {
        Off::Percent(hundredths) => cost.saturating_sub(share(cost, hundredths, WHOLE)),
        Off::Amount(amount) => cost.saturating_sub(amount).max(0),
    })
}

/// Ends discounts: those for one invoice after they were used, and those for some months after their end.
pub fn use_up(
    state: &mut SandboxState,
    subscription: &str,
    lines: &[SandboxInvoiceLine],
) -> Result<(), SandboxFailure> {
    let used: Vec<&String> = lines.iter().flat_map(|line| line.discounts.iter().map(|(id, _)| id)).collect();
    let now = state.store.now;
    let over = |state: &SandboxState, id: &String| {
        let discount = state.store.discounts.find(id);
        let coupon = discount.and_then(|discount| state.store.coupons.find(&discount.coupon));
        let once = coupon.is_some_and(|coupon| coupon.lasts == Lasts::Once) && used.contains(&id);
        once || discount.and_then(|discount| discount.end).is_some_and(|end| end <= now)
    };
    let row = state.store.subscriptions.get(subscription)?.clone();
    let mut after = row.clone();
    after.discounts.retain(|id| !over(state, id));
    for item in &mut after.items {
        item.discounts.retain(|id| !over(state, id));
    }
    let of_customer = state.store.customers.get(&row.customer)?.discount.clone();
    if of_customer.is_some_and(|id| over(state, &id)) {
        state.change_customer(&row.customer, |row| row.discount = None)?;
    }
    state.store.subscriptions.put(after);
    Ok(())
}
