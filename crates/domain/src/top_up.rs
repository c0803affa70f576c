//! What does a chosen number of credits cost? A catalog may sell any number of them at a price for each.

use super::{
    amount::{Credits, Currency, Money},
    chargeable,
    fraction::Fraction,
    ids::{InvalidIdentifier, PackId},
};

/// The id of the pack as which a chosen number of credits is recorded. No other pack has it.
pub const PACK: &str = "credits";

/// [`PACK`] as an id.
///
/// # Errors
/// Never: the id is well formed.
pub fn pack_id() -> Result<PackId, InvalidIdentifier> {
    PackId::parse(PACK)
}

/// Any number of credits, bought once at a price for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// The name that buyers see.
    pub name: String,
    /// Minor units for one credit. It may be less than one, so it stays a fraction until a number of credits is priced.
    pub price_per_credit: Fraction,
    pub currency: Currency,
    /// The fewest and the most credits in one purchase.
    pub smallest: Credits,
    pub largest: Credits,
    /// `None`: never expires.
    pub expires_after_days: Option<u16>,
    /// The product's id at the payment provider; a price is made for each sale.
    /// `None`: the product is made for each sale, too.
    pub product_id: Option<String>,
    /// The setting that has the product's id.
    pub product_setting: Option<String>,
}

impl TopUp {
    /// The exact price of one credit in minor units, as a decimal such as `1.25`.
    #[must_use]
    pub fn minor_per_credit(&self) -> String {
        self.price_per_credit.to_decimal()
    }

    /// The price of `credits`, rounded up to an amount that can be charged. `None`: this many are not sold.
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
