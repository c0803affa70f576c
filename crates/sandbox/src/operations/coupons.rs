//! `/v1/coupons` and `/v1/promotion_codes`

use super::{SandboxAnswer, SandboxOperation, gone, operation};
use crate::{
    billing::discounting,
    call::{Call, Params},
    failure::SandboxFailure,
    ids,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::coupon::{Coupon, Lasts, Off, PromotionCode, Redeemed, parse_percent},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/coupons", create),
    operation("GET", "/v1/coupons", list),
    operation("GET", "/v1/coupons/{coupon}", retrieve),
    operation("POST", "/v1/coupons/{coupon}", update),
    operation("DELETE", "/v1/coupons/{coupon}", delete),
    operation("POST", "/v1/promotion_codes", create_code),
    operation("GET", "/v1/promotion_codes", list_codes),
    operation("GET", "/v1/promotion_codes/{promotion_code}", retrieve_code),
    operation("POST", "/v1/promotion_codes/{promotion_code}", update_code),
    operation("DELETE", "/v1/customers/{customer}/discount", delete_of_customer),
    operation("DELETE", "/v1/subscriptions/{subscription_exposed_id}/discount", delete_of_subscription),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let id = params.owned("id").unwrap_or_else(|| ids::letters(8));
    if state.store.coupons.find(&id).is_some() {
        let message = format!("Coupon already exists: {id}.");
        return Err(SandboxFailure::invalid(message).code("resource_already_exists"));
    }
    let off = match (params.text("percent_off"), params.integer("amount_off")) {
        (Some(percent), None) => Off::Percent(parse_percent(percent).ok_or_else(|| {
            SandboxFailure::invalid("A percentage is above 0, at most 100, and has two decimals.")
                .param("percent_off")
        })?),
        (None, Some(amount)) if amount > 0 => Off::Amount(amount),
        (None, None) => return Err(SandboxFailure::missing("percent_off")),
        (_, _) => return Err(SandboxFailure::invalid("Say one of `percent_off` and `amount_off`.")),
    };
    if matches!(off, Off::Amount(_)) && !params.has("currency") {
        return Err(SandboxFailure::missing("currency"));
    }
    let months = params.integer("duration_in_months").and_then(|months| u32::try_from(months).ok());
    let lasts = match params.text("duration") {
        Some("forever") => Lasts::Forever,
        Some("repeating") => {
            Lasts::Months(months.ok_or_else(|| SandboxFailure::missing("duration_in_months"))?)
        }
        Some(_) | None => Lasts::Once,
    };
    state.store.coupons.put(Coupon {
        id: id.clone(),
        created: state.store.now,
        deleted: false,
        name: params.owned("name"),
        off,
        currency: params.owned("currency"),
        lasts,
        products: params.texts("applies_to.products"),
        max_redemptions: params.integer("max_redemptions"),
        redeem_by: params.integer("redeem_by"),
        times_redeemed: 0,
        metadata: params.metadata("metadata"),
    });
    let object = state.store.coupons.get(&id)?.render(&state.store);
    state.emit("coupon.created", object.clone());
    Ok(object)
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    page(&state.store, &state.store.coupons, call, "/v1/coupons", |_| true)
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let row = state.store.coupons.get(call.id())?;
    if row.deleted { Err(SandboxFailure::no_such("coupon", call.id())) } else { Ok(row.render(&state.store)) }
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = retrieve(state, call)?;
    let row = state.store.coupons.get_mut(call.id())?;
    call.params.assign("name", &mut row.name);
    call.params.merge_metadata("metadata", &mut row.metadata);
    let after = retrieve(state, call)?;
    state.emit_change("coupon.updated", &before, after.clone());
    Ok(after)
}

/// Deletes a coupon: it cannot be used any more, but its discounts stay.
fn delete(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let object = retrieve(state, call)?;
    state.store.coupons.get_mut(call.id())?.deleted = true;
    state.emit("coupon.deleted", object);
    Ok(gone(call.id(), "coupon"))
}

fn create_code(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let coupon = params.required("promotion.coupon")?;
    let coupon = state.store.coupons.get(coupon).map_err(|failure| failure.status(400))?.id.clone();
    let code = params.owned("code").unwrap_or_else(|| ids::letters(8).to_uppercase());
    let taken = |row: &PromotionCode| row.active && row.code.eq_ignore_ascii_case(&code);
    if state.store.promotion_codes.iter().any(taken) {
        let message = "An active promotion code with this code already exists.";
        return Err(SandboxFailure::invalid(message).param("code"));
    }
    let id = state.store.ids.make("promo");
    state.store.promotion_codes.put(PromotionCode {
        id: id.clone(),
        created: state.store.now,
        active: params.boolean("active").unwrap_or(true),
        code,
        coupon,
        customer: params.owned("customer"),
        expires_at: params.integer("expires_at"),
        max_redemptions: params.integer("max_redemptions"),
        times_redeemed: 0,
        first_time: params.boolean("restrictions.first_time_transaction") == Some(true),
        metadata: params.metadata("metadata"),
    });
    let object = state.store.promotion_codes.get(&id)?.render(&state.store);
    state.emit("promotion_code.created", object.clone());
    Ok(object)
}

fn list_codes(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (code, coupon, active) =
        (call.params.text("code"), call.params.text("coupon"), call.params.boolean("active"));
    page(&state.store, &state.store.promotion_codes, call, "/v1/promotion_codes", |row| {
        code.is_none_or(|code| row.code.eq_ignore_ascii_case(code))
            && coupon.is_none_or(|coupon| row.coupon == coupon)
            && active.is_none_or(|active| row.active == active)
    })
}

fn retrieve_code(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.promotion_codes.get(call.id())?.render(&state.store))
}

fn update_code(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = retrieve_code(state, call)?;
    let row = state.store.promotion_codes.get_mut(call.id())?;
    row.active = call.params.boolean("active").unwrap_or(row.active);
    call.params.merge_metadata("metadata", &mut row.metadata);
    let after = retrieve_code(state, call)?;
    state.emit_change("promotion_code.updated", &before, after.clone());
    Ok(after)
}

/// The coupons and promotion codes of the parameter `name`.
pub fn redeemed(state: &SandboxState, params: &Params, name: &str) -> Result<Vec<Redeemed>, SandboxFailure> {
    let mut all = Vec::new();
    for one in params.list(name) {
        let found = match (one.text("coupon"), one.text("promotion_code"), one.text("discount")) {
            (Some(coupon), _, _) => Redeemed { coupon: coupon.to_owned(), promotion_code: None },
            (None, Some(code), _) => by_code(state, code)?,
            // A discount that applies already stays.
            (None, None, Some(_)) => continue,
            (None, None, None) => return Err(SandboxFailure::missing(&format!("{name}[0][coupon]"))),
        };
        state.store.coupons.get(&found.coupon).map_err(|failure| failure.status(400).param(name))?;
        all.push(found);
    }
    Ok(all)
}

/// Finds a promotion code by its id, or by the code that a person enters.
pub fn by_code(state: &SandboxState, code: &str) -> Result<Redeemed, SandboxFailure> {
    let row = state
        .store
        .promotion_codes
        .iter()
        .rev()
        .find(|row| row.id == code || (row.active && row.code.eq_ignore_ascii_case(code)));
    let row = row.ok_or_else(|| SandboxFailure::no_such("promotion code", code).status(400))?;
    let open = row.active
        && row.expires_at.is_none_or(|end| state.store.now < end)
        && row.max_redemptions.is_none_or(|most| row.times_redeemed < most);
    if !open {
        return Err(SandboxFailure::invalid("This promotion code is not active.").param("promotion_code"));
    }
    Ok(Redeemed { coupon: row.coupon.clone(), promotion_code: Some(row.id.clone()) })
}

fn delete_of_customer(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let discount = state.store.customers.get(call.id())?.discount.clone();
    let discount = discount.ok_or_else(|| SandboxFailure::no_such("discount of this customer", call.id()))?;
    state.change_customer(call.id(), |row| row.discount = None)?;
    end(state, &discount)
}

fn delete_of_subscription(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let discount = state.store.subscriptions.get(call.id())?.discounts.first().cloned();
    let discount =
        discount.ok_or_else(|| SandboxFailure::no_such("discount of this subscription", call.id()))?;
    state.change_subscription(call.id(), |row| row.discounts.clear())?;
    end(state, &discount)
}

fn end(state: &mut SandboxState, discount: &str) -> SandboxAnswer {
    let mut object = discounting::end_discount(state, discount)?;
    if let Some(object) = object.as_object_mut() {
        object.insert("deleted".to_owned(), true.into());
    }
    Ok(object)
}
