//! Which discounts do customers have, whatever they subscribe to?
//!
//! A customer has one discount at a time, for those of its subscriptions that have none of their own.
//! Discounts are kept as facts with their own times, so that the discount at any time follows from the set of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{amount::Money, fraction::Fraction, ids::ProviderId, time::Timestamp};

/// What a coupon takes off each charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenOff {
    Percent(Fraction),
    /// Only off charges in this currency.
    Amount(Money),
}

impl TakenOff {
    /// What is left of `monthly`, if it is charged `charges` times a month. `None`: it does not fit.
    #[must_use]
    pub fn leaves(&self, monthly: Fraction, charges: Fraction, currency: &str) -> Option<Fraction> {
        match self {
            Self::Percent(percent) => {
                let off = percent.checked_mul(Fraction::new(1, 100)?)?;
                monthly.checked_mul(Fraction::whole(1).checked_sub(off)?.at_least_zero())
            }
            Self::Amount(off) if off.currency.as_str() == currency => {
                let off = Fraction::whole(off.minor).checked_mul(charges)?;
                monthly.checked_sub(off).map(Fraction::at_least_zero)
            }
            Self::Amount(_) => Some(monthly),
        }
    }
}

/// The monthly revenue of a subscription without discounts of its own, before its customer's discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Undiscounted {
    pub customer: ProviderId,
    /// In minor units, not rounded.
    pub monthly: Fraction,
    /// How many charges there are in a month.
    pub charges: Fraction,
}

impl Undiscounted {
    /// The revenue after the discount, in minor units, rounded half to even. `None`: it does not fit.
    #[must_use]
    pub fn less(&self, off: &TakenOff, currency: &str) -> Option<i64> {
        off.leaves(self.monthly, self.charges, currency)?.round_half_even()
    }
}

/// A report on one discount of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscountReport {
    pub customer: ProviderId,
    pub discount: ProviderId,
    pub what: DiscountStep,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountStep {
    /// It began, and takes this off.
    /// `None`: it lasts for a limited time, so it takes nothing off revenue, but replaces others.
    Begun(Option<TakenOff>),
    Ended,
}

/// All discounts that were reported, by customer and by the discount's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discounts(BTreeMap<ProviderId, BTreeMap<ProviderId, Discount>>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Discount {
    begun: Option<StartedDiscount>,
    ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StartedDiscount {
    at: Timestamp,
    off: Option<TakenOff>,
}

impl Discounts {
    /// Whether the report says nothing new.
    #[must_use]
    pub fn knows(&self, told: &DiscountReport) -> bool {
        let known = self.0.get(&told.customer).and_then(|discounts| discounts.get(&told.discount));
        known.is_some_and(|known| match told.what {
            DiscountStep::Begun(_) => known.begun.as_ref().is_some_and(|begun| begun.at <= told.at),
            DiscountStep::Ended => known.ended_at.is_some_and(|ended_at| ended_at <= told.at),
        })
    }

    /// Adds a report. If a discount is reported to begin or end at several times, the earliest counts.
    pub fn learn(&mut self, told: &DiscountReport) {
        if self.knows(told) {
            return;
        }
        let discounts = self.0.entry(told.customer.clone()).or_default();
        let known = discounts.entry(told.discount.clone()).or_default();
        match &told.what {
            DiscountStep::Begun(off) => {
                known.begun = Some(StartedDiscount { at: told.at, off: off.clone() });
            }
            DiscountStep::Ended => known.ended_at = Some(told.at),
        }
    }

    /// The discount of the customer at `at`: the one that began last, unless it has ended.
    /// A discount that ended in the second in which it began never held.
    #[must_use]
    pub fn in_force(&self, customer: &ProviderId, at: Timestamp) -> Option<&TakenOff> {
        let discounts = self.0.get(customer)?.iter();
        let begun = discounts.filter_map(|(id, known)| Some((known.begun.as_ref()?, known.ended_at, id)));
        let counted = begun.filter(|(begun, ended_at, _)| {
            begun.at <= at && ended_at.is_none_or(|ended_at| begun.at < ended_at)
        });
        let (last, ended_at, _) = counted.max_by_key(|(begun, _, id)| (begun.at, *id))?;
        last.off.as_ref().filter(|_| ended_at.is_none_or(|ended_at| at < ended_at))
    }
}
