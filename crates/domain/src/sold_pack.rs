//! What does a sold pack give, and what does it cost?

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    catalog::{Catalog, Pack},
    ids::PackId,
    refusal::Refusal,
    time::Timestamp,
    top_up::{PACK, pack_id},
    unsold::Unsold,
};

/// The terms of one pack at the time of its sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SoldPack {
    pub pack: PackId,
    pub credits: Credits,
    pub price: Money,
    /// `None`: never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_days: Option<u16>,
}

impl SoldPack {
    /// The terms that the catalog has now.
    #[must_use]
    pub fn of(pack: &Pack) -> Self {
        Self {
            pack: pack.id.clone(),
            credits: pack.credits,
            price: pack.price.clone(),
            expires_after_days: pack.expires_after_days,
        }
    }

    /// The terms of a chosen number of credits, by the catalog's price for one.
    ///
    /// # Errors
    /// If the catalog does not sell chosen numbers of credits, or not this many.
    pub fn of_credits(catalog: &Catalog, credits: Credits) -> Result<Self, Refusal> {
        let top_up = catalog.top_up.as_ref().ok_or(Refusal::NotForSale(Unsold::NoTopUp))?;
        let (smallest, largest) = (top_up.smallest, top_up.largest);
        let price = top_up.price_of(credits).ok_or(Refusal::TopUpOutOfBounds { smallest, largest })?;
        let pack = pack_id().map_err(|_| Refusal::UnknownPack)?;
        Ok(Self { pack, credits, price, expires_after_days: top_up.expires_after_days })
    }

    /// How many packs were bought: `subtotal` divided by the price if that is a whole number, else `quantity`.
    #[must_use]
    pub fn count(&self, quantity: u32, subtotal: Option<&Money>) -> u32 {
        // A chosen number of credits is always one pack.
        if self.pack.as_str() == PACK {
            return quantity;
        }
        let subtotal = subtotal.filter(|money| money.currency == self.price.currency);
        let counted = subtotal.and_then(|money| whole(money.minor, self.price.minor));
        counted.unwrap_or(quantity)
    }

    /// When its credits end. `None`: never.
    #[must_use]
    pub fn ends(&self, bought_at: Timestamp) -> Option<Timestamp> {
        self.expires_after_days.map(|days| bought_at.plus(TimeDelta::days(i64::from(days))))
    }
}

/// `minor` divided by `price`, if that is a whole number.
fn whole(minor: i64, price: i64) -> Option<u32> {
    let count = minor.checked_div(price).filter(|_| minor.checked_rem(price) == Some(0))?;
    u32::try_from(count).ok().filter(|count| *count > 0)
}
