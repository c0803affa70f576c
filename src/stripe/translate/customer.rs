//! Which account does a customer belong to?

use super::{OwnerLookup, Translation, TranslationContext, TranslationStep, discount, held, ignored};
use crate::{
    domain::command::{Command, CustomerCommand},
    stripe::translate::Instructions,
};

/// A customer whose metadata names an account is linked to it. Its discount is reported in any case.
pub(super) fn known(report: TranslationContext<'_>) -> Translation {
    let customer = report.id()?;
    let discounts = discount::of_customer(report, &customer);
    match OwnerLookup::of(report.object) {
        Some(OwnerLookup::Account { .. }) => report.instruct(discounts),
        Some(OwnerLookup::Customer(_)) if !discounts.is_empty() => report.instruct(discounts),
        Some(OwnerLookup::Customer(_)) => Err(ignored("the customer's metadata names no account")),
        Some(OwnerLookup::Payment(_)) | None => Err(held("the customer has no id that can be read")),
    }
}

/// Unlinks the customer. The account stays, and so does what the customer bought.
pub(super) fn gone(report: TranslationContext<'_>) -> Translation {
    let customer = report.id()?;
    let owner =
        OwnerLookup::of(report.object).ok_or_else(|| held("the customer has no id that can be read"))?;
    let step = TranslationStep::new(
        format!("unlink:{customer}"),
        Command::Customer(CustomerCommand::UnlinkCustomer { customer, effective_at: report.at() }),
    );
    Ok(Instructions { owner, about: None, steps: vec![step] })
}
