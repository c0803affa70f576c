//! How are coupons, promotion codes and discounts shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{
    Store,
    coupon::{AppliedCoupon, Coupon, Lasts, Off, PromotionCode},
};

impl Shown for Coupon {
    fn render(&self, store: &Store) -> Value {
        let (percent, amount) = match self.off {
            Off::Percent(hundredths) => (percent_shown(hundredths), Value::Null),
            Off::Amount(amount) => (Value::Null, json!(amount)),
        };
        let (duration, months) = match self.lasts {
            Lasts::Once => ("once", None),
            Lasts::Months(months) => ("repeating", Some(months)),
            Lasts::Forever => ("forever", None),
        };
        let mut object = json!({
            "id": self.id,
            "object": "coupon",
            "amount_off": amount,
            "created": self.created,
            "currency": self.currency,
            "duration": duration,
            "duration_in_months": months,
            "livemode": false,
            "max_redemptions": self.max_redemptions,
            "metadata": self.metadata,
            "name": self.name,
            "percent_off": percent,
            "redeem_by": self.redeem_by,
            "times_redeemed": self.times_redeemed,
            "valid": self.is_valid(store.now),
        });
        if let (false, Some(object)) = (self.products.is_empty(), object.as_object_mut()) {
            object.insert("applies_to".to_owned(), json!({ "products": self.products }));
        }
        object
    }
}

/// Hundredths of a percent as a percentage: `1250` is 12.5.
fn percent_shown(hundredths: i64) -> Value {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}

impl Shown for PromotionCode {
    fn render(&self, _store: &Store) -> Value {
        let object = json!({
            "id": self.id,
            "object": "promotion_code",
            "active": self.active,
            "code": self.code,
            "created": self.created,
            "customer": self.customer,
            "expires_at": self.expires_at,
            "livemode": false,
            "max_redemptions": self.max_redemptions,
            "metadata": self.metadata,
            "promotion": { "coupon": self.coupon, "type": "coupon" },
            "restrictions": {
                "first_time_transaction": self.first_time,
                "minimum_amount": null,
                "minimum_amount_currency": null,
            },
            "times_redeemed": self.times_redeemed,
        });
        with_nulls(object, &["customer_account"])
    }
}

impl Shown for AppliedCoupon {
    fn render(&self, _store: &Store) -> Value {
        let object = json!({
            "id": self.id,
            "object": "discount",
            "checkout_session": self.checkout_session,
            "customer": self.customer,
            "end": self.end,
            "promotion_code": self.promotion_code,
            "source": { "coupon": self.coupon, "type": "coupon" },
            "start": self.start,
            "subscription": self.subscription,
            "subscription_item": self.subscription_item,
        });
        with_nulls(object, &["customer_account", "invoice", "invoice_item"])
    }
}

impl AppliedCoupon {
    /// As older API versions show it: with the whole coupon.
    pub fn older(&self, store: &Store) -> Value {
        let mut object = self.render(store);
        let coupon = store.coupons.find(&self.coupon).map(|coupon| coupon.render(store));
        if let Some(object) = object.as_object_mut() {
            object.remove("source");
            object.insert("coupon".to_owned(), coupon.unwrap_or_default());
        }
        object
    }
}
