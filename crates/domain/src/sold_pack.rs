//! What does a pack that is sold give, and what does it cost?

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

/// What one pack gives, and what it costs, as it was offered.
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
    /// As the catalog offers it now.
    #[must_use]
    pub fn of(pack: &Pack) -> Self {
        Self {
            pack: pack.id.clone(),
            credits: pack.credits,
            price: pack.price.clone(),
            expires_after_days: pack.expires_after_days,
        }
    }

    /// So many credits, at the catalog's price for each.
    ///
    /// # Errors
    /// When the catalog sells no free amount, or not so much or so little.
    pub fn of_credits(catalog: &Catalog, credits: Credits) -> Result<Self, Refusal> {
        let top_up = catalog.top_up.as_ref().ok_or(Refusal::NotForSale(Unsold::NoTopUp))?;
        let (smallest, largest) = (top_up.smallest, top_up.largest);
        let price = top_up.price_of(credits).ok_or(Refusal::TopUpOutOfBounds { smallest, largest })?;
        let pack = pack_id().map_err(|_| Refusal::UnknownPack)?;
        Ok(Self { pack, credits, price, expires_after_days: top_up.expires_after_days })
    }

    /// How many of it were bought: as many as its price goes into what was charged, where that is a whole number, else
    /// as many as were said.
    #[must_use]
    pub fn count(&self, quantity: u32, subtotal: Option<&Money>) -> u32 {
        // Of a free amount there is one.
        if self.pack.as_str() == PACK {
            return quantity;
        }
        let subtotal = subtotal.filter(|money| money.currency == self.price.currency);
        let counted = subtotal.and_then(|money| whole(money.minor, self.price.minor));
        counted.unwrap_or(quantity)
    }

    /// When it ends, if it was bought then.
    #[must_use]
    pub fn ends(&self, bought_at: Timestamp) -> Option<Timestamp> {
        self.expires_after_days.map(|days| bought_at.plus(TimeDelta::days(i64::from(days))))
    }
}

/// How many times `price` goes into `minor`, if it does so without a rest.
fn whole(minor: i64, price: i64) -> Option<u32> {
    let count = minor.checked_div(price).filter(|_| minor.checked_rem(price) == Some(0))?;
    u32::try_from(count).ok().filter(|count| *count > 0)
}
