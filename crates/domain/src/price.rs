//! What does a plan or a pack cost, and which ids does that price have at Stripe?

use super::{
    amount::Money,
    ids::{PackId, PlanId},
};

/// What a price id at Stripe means, or meant before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPrice {
    pub id: String,
    pub of: Priced,
    pub amount: Money,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Priced {
    Plan(PlanId, Interval),
    Pack(PackId),
}

/// The price of a plan for one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPrice {
    pub interval: Interval,
    pub amount: Money,
    pub stripe: StripePrice,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    Month,
    Year,
}

impl Interval {
    #[must_use]
    pub const fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// An earlier price of a pack. Its price ids are known, but nothing is sold at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub amount: Money,
    pub stripe: StripePrice,
}

/// The ids of a price at Stripe. Without any, the price cannot be bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripePrice {
    /// The first id is used for new sales, and the others are accepted, too.
    pub price_ids: Vec<String>,
    /// Ids that a webhook may still name. Nothing is sold at them.
    pub retired_price_ids: Vec<String>,
    pub product_id: Option<String>,
    /// The setting that has the ids, so that a refusal can name it.
    pub setting: Option<String>,
}

impl StripePrice {
    #[must_use]
    pub fn has(&self, price_id: &str) -> bool {
        self.price_ids.iter().chain(&self.retired_price_ids).any(|known| known == price_id)
    }

    /// Its ids, with what they mean.
    pub(super) fn known(&self, amount: &Money, of: Priced) -> impl Iterator<Item = KnownPrice> {
        let amount = amount.clone();
        let ids = self.price_ids.iter().chain(&self.retired_price_ids);
        ids.map(move |id| KnownPrice { id: id.clone(), of: of.clone(), amount: amount.clone() })
    }

    /// Whether it has no id.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.price_ids.is_empty() && self.retired_price_ids.is_empty()
    }

    /// The id for new sales. `None`: nothing can be bought at this price.
    #[must_use]
    pub fn sale_id(&self) -> Option<&str> {
        self.price_ids.first().map(String::as_str)
    }

    /// The same ids, with none for new sales.
    #[must_use]
    pub fn retired(mut self) -> Self {
        self.retired_price_ids.splice(..0, std::mem::take(&mut self.price_ids));
        self
    }
}
