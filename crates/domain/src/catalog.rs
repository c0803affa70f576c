//! What can be bought, what does it give, and what does work cost?
//!
//! This is the catalog after every check: each name in a [`Catalog`] is certain to be defined.
//! `catalog` reads one from TOML.

mod allocation;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono_tz::Tz;

use super::{
    amount::{Credits, Currency, Money},
    fraction::Fraction,
    ids::{FeatureId, GenerationType, OptionName, PackId, PlanId},
    time::CalendarUnit,
    unsold::Unsold,
};
pub use allocation::{Allocation, Ratio, RolloverCap};

pub use super::{
    price::{Earlier, Interval, KnownPrice, PlanPrice, Priced, StripePrice},
    top_up::TopUp,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    pub name: String,
    /// Hex SHA-256 of the file's bytes. Every event has the beginning of it ([`Self::stamp`]), and so says which
    /// catalog it was decided under.
    ///
    /// Settings are deliberately not hashed: they only say which ids prices have at Stripe, and no amount of credits
    /// depends on that.
    pub hash: Arc<str>,
    pub currency: Currency,
    /// How many decimals a credit is shown with, 0 to 6. Amounts stay whole numbers everywhere.
    pub scale: u8,
    /// The time zone of calendar limits.
    pub time_zone: Tz,
    /// The plan of an account without a subscription.
    pub free_plan: PlanId,
    pub features: BTreeMap<FeatureId, String>,
    /// From the smallest plan to the largest, in the order of the file.
    /// Includes plans that are no longer sold: see [`Availability`].
    pub plans: Vec<Plan>,
    /// Includes packs that are no longer sold.
    pub packs: Vec<Pack>,
    /// How any number of credits can be bought. `None`: only packs are sold.
    pub top_up: Option<TopUp>,
    pub generations: BTreeMap<GenerationType, GenerationPrice>,
    pub debt: DebtPolicy,
    pub payments: PaymentSettings,
}

/// Whether a plan or a pack is sold. One that is no longer sold still holds for those who have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    #[default]
    Sold,
    /// The catalog says that it is no longer sold.
    Retired,
    /// The catalog no longer has it; these are the terms of the last catalog that had it.
    Former,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: PlanId,
    pub name: String,
    pub standing: Availability,
    pub popular: bool,
    /// The lines that describe the plan to a buyer.
    pub marketing: Vec<String>,
    pub allocation: Allocation,
    /// `None`: unused credits expire at the end of the period.
    pub rollover: Option<RolloverCap>,
    pub features: BTreeSet<FeatureId>,
    pub limits: Vec<Limit>,
    /// Percent off every generation, 0 to 100.
    pub discount_percent: u8,
    pub prices: Vec<PlanPrice>,
    /// Earlier prices. Subscriptions may still have them, but nothing is sold at them.
    pub earlier: Vec<PlanPrice>,
    pub trial: Option<Trial>,
}

impl Plan {
    /// Whether the plan is shown to buyers. A plan without credits and without a price is not.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.is_sold() && (!self.prices.is_empty() || self.allocation != Allocation::None)
    }

    /// Whether new subscribers can choose the plan.
    #[must_use]
    pub fn is_sold(&self) -> bool {
        self.standing == Availability::Sold
    }

    /// The credits of `quantity` of this plan for each month. `None`: more than an amount can hold.
    #[must_use]
    pub fn monthly(&self, quantity: u32) -> Option<Credits> {
        self.allocation.monthly().checked_mul(quantity)
    }

    /// This plan combined with a smaller one: the features of both, and the larger of each limit.
    /// A limit that one of them does not have does not hold.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.features.extend(other.features.iter().cloned());
        self.discount_percent = self.discount_percent.max(other.discount_percent);
        self.limits.retain_mut(|limit| {
            let same = other.limits.iter().find(|same| same.key() == limit.key());
            limit.max = same.map_or(limit.max, |same| same.max.max(limit.max));
            same.is_some()
        });
        self
    }

    /// The plan with its limits per seat multiplied. `seats` is only called if there is such a limit.
    pub fn for_seats(&self, seats: impl FnOnce() -> u64) -> Cow<'_, Self> {
        if self.limits.iter().all(|limit| !limit.per_seat) {
            return Cow::Borrowed(self);
        }
        let (mut plan, seats) = (self.clone(), seats());
        for limit in plan.limits.iter_mut().filter(|limit| limit.per_seat) {
            limit.max = limit.max.saturating_mul(seats);
        }
        Cow::Owned(plan)
    }

    /// The price for this interval, if the plan has one.
    #[must_use]
    pub fn price(&self, interval: Interval) -> Option<&PlanPrice> {
        self.prices.iter().find(|price| price.interval == interval)
    }

    /// The price at which the plan can be bought now.
    ///
    /// # Errors
    /// Why it cannot be bought.
    pub fn offer(&self, interval: Interval) -> Result<&PlanPrice, Unsold> {
        if !self.is_sold() {
            return Err(Unsold::Retired);
        }
        self.price(interval).ok_or_else(|| match self.prices.as_slice() {
            [] => Unsold::NoPrice,
            others => Unsold::Interval { intervals: others.iter().map(|price| price.interval).collect() },
        })
    }

    /// The price for this interval, even if it is no longer sold.
    #[must_use]
    pub fn price_of_old(&self, interval: Interval) -> Option<&PlanPrice> {
        let before = || self.earlier.iter().find(|price| price.interval == interval);
        self.price(interval).or_else(before)
    }

    /// The price, today's or an earlier one, that has this id at Stripe.
    #[must_use]
    pub fn price_by_id(&self, price_id: &str) -> Option<&PlanPrice> {
        self.prices.iter().chain(&self.earlier).find(|price| price.stripe.has(price_id))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub days: u16,
    /// Granted when the trial starts, expiring when it ends.
    pub credits: Credits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    pub id: PackId,
    pub name: String,
    pub standing: Availability,
    /// The credits of one pack; a purchase may have a quantity.
    pub credits: Credits,
    pub price: Money,
    /// Earlier prices. Nothing is sold at them.
    pub earlier: Vec<Earlier>,
    /// `None`: never expires.
    pub expires_after_days: Option<u16>,
    pub stripe: StripePrice,
}

impl Pack {
    /// The pack, if it can be bought now.
    ///
    /// # Errors
    /// Why it cannot be bought.
    pub fn offer(&self) -> Result<&Self, Unsold> {
        if self.is_sold() { Ok(self) } else { Err(Unsold::Retired) }
    }

    #[must_use]
    pub fn is_sold(&self) -> bool {
        self.standing == Availability::Sold
    }

    /// Whether this is the id of one of its prices at Stripe, today's or an earlier one.
    #[must_use]
    pub fn has(&self, price_id: &str) -> bool {
        self.stripe.has(price_id) || self.earlier.iter().any(|earlier| earlier.stripe.has(price_id))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationPrice {
    pub name: String,
    pub base: Credits,
    /// A plan must have all of these features.
    pub needs: BTreeSet<FeatureId>,
    /// For each option, what each of its values adds to the price.
    pub options: BTreeMap<OptionName, BTreeMap<OptionName, Credits>>,
}

/// At most `max` of `measure` in each window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub measure: Measure,
    pub unit: CalendarUnit,
    pub window: WindowKind,
    pub max: u64,
    /// Whether `max` is for each seat, and not for the account as a whole.
    pub per_seat: bool,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Generations,
    Credits,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// The day, week or month of the catalog's time zone.
    Calendar,
    /// The last 24 hours, 7 days or 30 days.
    Rolling,
}

/// What happens when credits are taken back that were already spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebtPolicy {
    Owe,
    Forgive,
}

/// Settings of the payment side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentSettings {
    /// `false`: nothing is sold, and webhooks are stored but not processed.
    pub enabled: bool,
    pub minor_min: i64,
    pub minor_max: i64,
    pub automatic_capture: bool,
    pub trial_days: u16,
    pub several_subscriptions: bool,
    /// What happens if two subscriptions were paid for although only one is sold.
    pub second_subscription: SecondSubscription,
    pub proration: String,
    /// When a subscription ends that is cancelled on the customer portal: `at_period_end` or `immediately`.
    pub cancellation: String,
    /// For how many days the plan holds after a payment has failed.
    pub grace_days: u16,
    pub pack_refunds: PackRefunds,
    /// When a downgrade takes effect.
    pub downgrade: Downgrade,
    /// Whether a first payment, or the payment of a change, gives the plan while the bank still processes it.
    pub trust_processing: bool,
    /// For how many days the rest of a month can be spent while the next month is not paid.
    pub bridge_days: u16,
}

/// When a change to a smaller plan, to fewer seats, or from yearly to monthly takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downgrade {
    PeriodEnd,
    AtOnce,
}

/// What happens to the newer of two subscriptions if an account should have only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondSubscription {
    Keep,
    CancelAndRefund,
}

/// Whether the business refunds packs. If Stripe reports a refund in spite of `Refused`, credits are still clawed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackRefunds {
    Given,
    Refused,
}

/// Why a generation has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPrice {
    UnknownType,
    UnknownOption {
        option: OptionName,
        known: Vec<OptionName>,
    },
    UnknownValue {
        option: OptionName,
        known: Vec<OptionName>,
    },
    /// The surcharges add up to more than an amount can hold.
    TooLarge,
}

impl Catalog {
    /// What events have of the hash: the first 128 bits.
    #[must_use]
    pub fn stamp(&self) -> &str {
        self.hash.get(..32).unwrap_or(&self.hash)
    }

    /// What a generation costs on `plan`: base and surcharges, less the plan's discount, rounded up, at least 1.
    ///
    /// # Errors
    /// When the type, an option or a value is not in the catalog.
    pub fn price(
        &self,
        plan: &PlanId,
        kind: &GenerationType,
        options: &BTreeMap<OptionName, OptionName>,
    ) -> Result<Credits, NoPrice> {
        let generation = self.generations.get(kind).ok_or(NoPrice::UnknownType)?;
        let full = options.iter().try_fold(generation.base, |sum, (option, value)| {
            sum.checked_add(generation.surcharge(option, value)?).ok_or(NoPrice::TooLarge)
        })?;
        let discount = self.terms_of(plan).map_or(0, |plan| plan.discount_percent);
        Ok(discounted(full, discount).max(Credits::ONE))
    }
}

impl GenerationPrice {
    fn surcharge(&self, option: &OptionName, value: &OptionName) -> Result<Credits, NoPrice> {
        let values = self.options.get(option).ok_or_else(|| NoPrice::UnknownOption {
            option: option.clone(),
            known: self.options.keys().cloned().collect(),
        })?;
        values.get(value).copied().ok_or_else(|| NoPrice::UnknownValue {
            option: option.clone(),
            known: values.keys().cloned().collect(),
        })
    }
}

/// The price after the discount, which is rounded down, so that the price is rounded up to a whole credit.
fn discounted(full: Credits, percent: u8) -> Credits {
    let off = Fraction::new(percent.min(100).into(), 100).and_then(|share| full.checked_mul_floor(share));
    full.saturating_sub(off.unwrap_or(Credits::ZERO))
}
