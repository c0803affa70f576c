//! Which chosen number of credits was sold?
//!
//! Its price was made at Stripe for this sale alone, so only metadata has its terms, which hold whatever the catalog
//! says now.

use super::{SetAside, TranslationContext, held};
use crate::{
    domain::{
        amount::{Credits, Money},
        ids::PackId,
        sold_pack::SoldPack,
        top_up::PACK,
    },
    stripe::documents::quoted,
};

/// The terms that metadata has for a sale at `price`. `None`: it is a pack of the catalog.
pub(super) fn sold(
    report: TranslationContext<'_>,
    pack: &PackId,
    price: &Money,
) -> Result<Option<SoldPack>, SetAside> {
    if pack.as_str() != PACK {
        return Ok(None);
    }
    let credits = report.object.text("metadata.topup_credits");
    let credits = credits.ok_or_else(|| held("the payment is for credits and does not say for how many"))?;
    let counted = credits.parse().ok().and_then(Credits::new).filter(|credits| !credits.is_zero());
    let counted = counted.ok_or_else(|| held(format!("{} is no number of credits", quoted(credits))))?;
    let days = report.object.text("metadata.topup_expires_after_days").map(|days| {
        days.parse()
            .map_err(|_| held(format!("the credits end after {} days, which is no number", quoted(days))))
    });
    let (pack, price, expires_after_days) = (pack.clone(), price.clone(), days.transpose()?);
    Ok(Some(SoldPack { pack, credits: counted, price, expires_after_days }))
}
