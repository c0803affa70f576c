//! Which discounts do customers have, whatever they subscribe to?
//!
//! A customer has one discount at a time, for those of its subscriptions that have none of their own. Discounts are
//! kept as facts with their own times, so that the answer for an instant follows from the set of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{amount::Money, fraction::Fraction, ids::ProviderId, time::Timestamp};

/// What a coupon takes off each charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenOff {
    Percent(Fraction),
    /// Off charges in its own currency, and off no others.
    Amount(Money),
}

impl TakenOff {
    /// What is left of an amount a month, of which `charges` are made. `None`: it is more than can be kept.
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

/// What a subscription without discounts of its own brings, before its customer's is taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Undiscounted {
    pub customer: ProviderId,
    /// In minor units, as it was before it was rounded.
    pub monthly: Fraction,
    /// How many charges fall on a month.
    pub charges: Fraction,
}

impl Undiscounted {
    /// In minor units, rounded half-even. `None`: it is more than can be kept.
    #[must_use]
    pub fn less(&self, off: &TakenOff, currency: &str) -> Option<i64> {
        off.leaves(self.monthly, self.charges, currency)?.round_half_even()
    }
}

/// What is told of one discount of a customer.
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
    /// `None`: it passes, so that it takes nothing off revenue. It replaces another one all the same.
    Begun(Option<TakenOff>),
    Ended,
}

/// Every discount that customers were told to have, by customer and by its own id.
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
    /// Whether what is told says nothing that is not known.
    #[must_use]
    pub fn knows(&self, told: &DiscountReport) -> bool {
        let known = self.0.get(&told.customer).and_then(|discounts| discounts.get(&told.discount));
        known.is_some_and(|known| match told.what {
            DiscountStep::Begun(_) => known.begun.as_ref().is_some_and(|begun| begun.at <= told.at),
            DiscountStep::Ended => known.ended_at.is_some_and(|ended_at| ended_at <= told.at),
        })
    }

    /// Takes into account what was told. Of a discount that is told to begin, or to end, at several times the first
    /// counts.
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

    /// What the customer has taken off at `at`: by the discount that began last, unless that has ended. One that ended
    /// in the second in which it began never was.
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
