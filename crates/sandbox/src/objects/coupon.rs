//! What makes it cheaper, and how is that asked for? Coupons, the codes that stand for them, and where they are in
//! force.

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

/// A coupon, and the code that it was asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    pub coupon: String,
    pub promotion_code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// In hundredths of a percent.
    Percent(i64),
    /// In minor units.
    Amount(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Once,
    Months(u32),
    Forever,
}

#[derive(Clone, Debug)]
pub struct Coupon {
    pub id: String,
    pub created: i64,
    pub deleted: bool,
    pub name: Option<String>,
    pub off: Off,
    pub currency: Option<String>,
    pub lasts: Lasts,
    /// Products that it is for. Empty: all.
    pub products: Vec<String>,
    pub max_redemptions: Option<i64>,
    pub redeem_by: Option<i64>,
    pub times_redeemed: i64,
    pub metadata: ObjectMetadata,
}

impl Stored for Coupon {
    const KIND: &'static str = "coupon";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn listed(&self) -> bool {
        !self.deleted
    }

    fn render(&self, state: &SandboxState) -> Value {
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
            "valid": self.is_valid(state.now),
        });
        if let (false, Some(object)) = (self.products.is_empty(), object.as_object_mut()) {
            object.insert("applies_to".to_owned(), json!({ "products": self.products }));
        }
        object
    }
}

impl Coupon {
    pub fn is_valid(&self, now: i64) -> bool {
        !self.deleted
            && self.redeem_by.is_none_or(|until| now <= until)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
    }
}

/// `1250` is 12.5.
fn percent_shown(hundredths: i64) -> Value {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// `12.5` is 1250; more than two decimals are none.
pub fn parse_percent(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<2}");
    let hundredths: i64 = part.get(..2).filter(|two| *two == part)?.parse().ok()?;
    let all = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
    (1..=10_000).contains(&all).then_some(all)
}

#[derive(Clone, Debug)]
pub struct PromotionCode {
    pub id: String,
    pub created: i64,
    pub active: bool,
    pub code: String,
    pub coupon: String,
    pub customer: Option<String>,
    pub expires_at: Option<i64>,
    pub max_redemptions: Option<i64>,
    pub times_redeemed: i64,
    pub first_time: bool,
    pub metadata: ObjectMetadata,
}

impl Stored for PromotionCode {
    const KIND: &'static str = "promotion code";
    const OBJECT: &'static str = "promotion_code";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &SandboxState) -> Value {
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

/// A coupon in force.
#[derive(Clone, Debug)]
pub struct AppliedCoupon {
    pub id: String,
    pub start: i64,
    pub end: Option<i64>,
    pub coupon: String,
    pub promotion_code: Option<String>,
    pub customer: String,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    pub checkout_session: Option<String>,
}

impl Stored for AppliedCoupon {
    const KIND: &'static str = "discount";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.start
    }

    fn render(&self, _state: &SandboxState) -> Value {
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
    /// As older versions show it: with the whole coupon.
    pub fn older(&self, state: &SandboxState) -> Value {
        let mut object = self.render(state);
        let coupon = state.coupons.find(&self.coupon).map(|coupon| coupon.render(state));
        if let Some(object) = object.as_object_mut() {
            object.remove("source");
            object.insert("coupon".to_owned(), coupon.unwrap_or_default());
        }
        object
    }
}
