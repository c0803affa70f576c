//! Which coupons are there, which promotion codes stand for them, and where do they apply?

use super::table::Stored;
use crate::{call::ObjectMetadata, money::share};

/// 100 percent, in hundredths of a percent.
pub const WHOLE: i64 = 10_000;

/// A coupon, and the promotion code that was used for it.
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
    /// The products that it applies to. Empty: all.
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
}

impl Coupon {
    pub fn is_valid(&self, now: i64) -> bool {
        !self.deleted
            && self.redeem_by.is_none_or(|until| now <= until)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
    }

    /// The discount on an amount to which the coupon applies in full, in minor units.
    pub fn takes_off(&self, amount: i64) -> i64 {
        match self.off {
            Off::Percent(hundredths) => share(amount, hundredths, WHOLE),
            Off::Amount(off) => off.min(amount),
        }
    }
}

/// Hundredths of a percent: `12.5` is 1250. `None`: more than two decimals, or not within 0.01 to 100.
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
}

/// A discount: a coupon that applies to a customer, a subscription or an item.
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
}
