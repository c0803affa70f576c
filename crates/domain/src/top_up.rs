//! What does a freely chosen amount of credits cost? A catalog may sell any number of them at a price for each.

use super::{
    amount::{Credits, Currency, Money},
    chargeable,
    fraction::Fraction,
    ids::{InvalidIdentifier, PackId},
};

/// The id of the pack that a free amount is recorded as. No other pack has it.
pub const PACK: &str = "credits";

/// The id of the pack that a free amount is recorded as.
///
/// # Errors
/// Never: the id is well formed.
pub fn pack_id() -> Result<PackId, InvalidIdentifier> {
    PackId::parse(PACK)
}

/// Any number of credits, bought once at a price for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// What buyers see it called.
    pub name: String,
    /// Minor units for one credit. It may be less than one, so it stays a fraction until a whole amount is priced.
    pub price_per_credit: Fraction,
    pub currency: Currency,
    /// The fewest and the most credits that are sold at once.
    pub smallest: Credits,
    pub largest: Credits,
    /// `None`: never expires.
    pub expires_after_days: Option<u16>,
    /// The product at the payment provider that it is sold as; the amount is made for each sale. `None`: that is made
    /// for each sale, too.
    pub product_id: Option<String>,
    /// The setting that the product's id comes from.
    pub product_setting: Option<String>,
}

impl TopUp {
    /// The exact price of one credit in minor units, as a decimal such as `1.25`.
    #[must_use]
    pub fn minor_per_credit(&self) -> String {
        self.price_per_credit.to_decimal()
    }

    /// What so many credits cost, rounded up to an amount that can be charged. `None`: that many are not sold.
    #[must_use]
    pub fn price_of(&self, credits: Credits) -> Option<Money> {
        if !(self.smallest..=self.largest).contains(&credits) {
            return None;
        }
        let exact = self.price_per_credit.checked_mul(Fraction::whole(credits.get()))?.ceil()?;
        let minor = chargeable::round_up(exact, &self.currency)?;
        Some(Money { minor, currency: self.currency.clone() })
    }
}
