//! Does each id at Stripe mean one thing?
//! A webhook with an id of two prices would be ambiguous, and an id of the test mode among those of the live mode would
//! sell for test money.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map},
};

use super::{
    Mode,
    mistake::{CatalogPlace, MistakeCause},
};

/// The longest id at Stripe, in bytes.
const ID_BYTES_MAX: usize = 255;

/// All ids in a catalog, with what they are for.
#[derive(Default)]
pub(super) struct StripeIds(RefCell<Vec<StripeId>>);

#[derive(Clone)]
pub(super) struct StripeId {
    pub id: String,
    pub kind: StripeIdKind,
    /// The path of the price that has the id.
    pub owner: String,
    /// `None`: the id comes from a setting, or is retired, so that its mode is not known.
    pub mode: Option<Mode>,
    pub place: CatalogPlace,
    pub cause: MistakeCause,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StripeIdKind {
    Price,
    Product,
}

impl StripeIds {
    /// Records an id.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub fn take(&self, id: &StripeId) -> Result<(), String> {
        check(id)?;
        self.0.borrow_mut().push(id.clone());
        Ok(())
    }

    /// All ids that are used twice: the second use, and why it is not allowed. `line` returns the line of a place.
    pub fn conflicts(&self, line: impl Fn(&CatalogPlace) -> usize) -> Vec<(StripeId, String)> {
        let (mut first_uses, mut conflicts) = (BTreeMap::new(), Vec::new());
        for id in self.0.borrow().iter() {
            match first_uses.entry(id.id.clone()) {
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(id.clone());
                }
                btree_map::Entry::Occupied(first) => {
                    let first: &StripeId = first.get();
                    let conflict = find_conflict(first, id, line(&first.place));
                    conflicts.extend(conflict.map(|message| (id.clone(), message)));
                }
            }
        }
        conflicts
    }
}

fn find_conflict(first: &StripeId, second: &StripeId, line: usize) -> Option<String> {
    let id = &second.id;
    match (first.mode, second.mode) {
        (Some(one), Some(other)) if one != other => Some(format!(
            "`{id}` is given for {other} and, in line {line}, for {one}; an id belongs to one mode"
        )),
        _ if second.kind == StripeIdKind::Price && first.owner != second.owner => {
            Some(format!("`{id}` already stands for {} (line {line})", first.owner))
        }
        _ => None,
    }
}

fn check(id: &StripeId) -> Result<(), String> {
    let text = id.id.as_str();
    if ["sk_", "rk_", "whsec_"].iter().any(|prefix| text.starts_with(prefix)) {
        // The text is deliberately not repeated, since mistakes are logged.
        return Err("this is a secret; it does not belong in a catalog, and must be replaced now".to_owned());
    }
    if text.len() > ID_BYTES_MAX
        || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    {
        return Err(format!("an id at Stripe has 1 to {ID_BYTES_MAX} characters of A-Z a-z 0-9 _ - ."));
    }
    match id.kind {
        StripeIdKind::Price if text.starts_with("prod_") => {
            Err(format!("`{text}` is the id of a product, not of a price"))
        }
        StripeIdKind::Product if text.starts_with("price_") => {
            Err(format!("`{text}` is the id of a price, not of a product"))
        }
        StripeIdKind::Price | StripeIdKind::Product => check_mode(text, id.mode),
    }
}

/// Stripe's own ids do not show their mode, but ids that people choose often do.
fn check_mode(text: &str, mode: Option<Mode>) -> Result<(), String> {
    let Some(mode) = mode else { return Ok(()) };
    let other = mode.other();
    if text.split(['_', '-']).any(|word| word.eq_ignore_ascii_case(other.as_str())) {
        return Err(format!("`{text}` is marked {other}, and is given for {mode}"));
    }
    Ok(())
}
