//! What does a plan or a pack cost, and what is that price called at Stripe?

use super::{
    amount::Money,
    ids::{PackId, PlanId},
};

/// What a price id at Stripe stands for, or stood for once.
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

/// What a plan costs for each of its intervals.
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

/// What a pack cost before. Its price ids are known, and nothing is sold under them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub amount: Money,
    pub stripe: StripePrice,
}

/// What a price is called at Stripe; nothing when it was not configured, and then it cannot be bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StripePrice {
    /// Every id that this price is sold under. The first one is used for new sales, the others are accepted.
    pub price_ids: Vec<String>,
    /// Ids that a webhook may still name for this price. Nothing is sold under them.
    pub retired_price_ids: Vec<String>,
    pub product_id: Option<String>,
    /// The setting that the ids come from, so that a refusal to sell can name it.
    pub setting: Option<String>,
}

impl StripePrice {
    #[must_use]
    pub fn has(&self, price_id: &str) -> bool {
        self.price_ids.iter().chain(&self.retired_price_ids).any(|known| known == price_id)
    }

    /// Its ids, as what they stand for.
    pub(super) fn known(&self, amount: &Money, of: Priced) -> impl Iterator<Item = KnownPrice> {
        let amount = amount.clone();
        let ids = self.price_ids.iter().chain(&self.retired_price_ids);
        ids.map(move |id| KnownPrice { id: id.clone(), of: of.clone(), amount: amount.clone() })
    }

    /// Whether it has no id at all.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.price_ids.is_empty() && self.retired_price_ids.is_empty()
    }

    /// The id that new sales use; `None` when nothing can be bought at this price.
    #[must_use]
    pub fn sale_id(&self) -> Option<&str> {
        self.price_ids.first().map(String::as_str)
    }

    /// The same ids, under which nothing is sold any more.
    #[must_use]
    pub fn retired(mut self) -> Self {
        self.retired_price_ids.splice(..0, std::mem::take(&mut self.price_ids));
        self
    }
}
