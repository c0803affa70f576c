//! Which packs did a checkout or an invoice sell?
//!
//! The prices of items and lines say so.
//! A session's event does not have its items, so they are fetched, unless the program made the session: then its
//! metadata names the pack, and the price before discounts and taxes gives the quantity.

use super::{
    OwnerLookup, SetAside, TranslationContext, TranslationStep, held, ignored, line, payment, top_up,
};
use crate::{
    domain::{
        amount::Money,
        catalog::Pack,
        command::RecordPackPurchase,
        event::PaymentPurpose,
        ids::{PackId, ProviderId},
        sold_pack::SoldPack,
        time::Timestamp,
    },
    stripe::documents::Document,
};

/// Where the items are, in an event that was completed.
pub(in crate::stripe) const ITEMS: &str = "line_items";

const UNKNOWN: &str = "it is paid, but it is unknown what for: no item has the price of a pack, and its metadata does not \
                       say kind=topup; grant what was bought by hand, or discard the event";

/// What a session sold.
pub(super) struct Packs {
    /// At least one.
    pub(super) sold: Vec<PackPurchase>,
    /// The total that was paid, including other things.
    pub(super) paid: Money,
}

/// A number of one pack.
pub(super) struct PackPurchase {
    /// `None`: it is the only thing that the session sold.
    pub(super) item: Option<ProviderId>,
    pub(super) pack: PackId,
    /// The terms, if it is not a pack of the catalog.
    pub(super) terms: Option<SoldPack>,
    pub(super) quantity: u32,
    /// Its price before discounts and taxes, if only that gives the quantity.
    pub(super) subtotal: Option<Money>,
    pub(super) money: Money,
}

impl Packs {
    pub(super) fn purpose(&self) -> PaymentPurpose {
        match self.sold.as_slice() {
            [only] => PaymentPurpose::Pack { pack: only.pack.clone(), quantity: only.quantity },
            _ => PaymentPurpose::Other,
        }
    }
}

pub(super) fn of_session(report: TranslationContext<'_>) -> Result<Packs, SetAside> {
    let items: Vec<Document<'_>> = report.object.members(ITEMS).collect();
    let paid = report.money(&["amount_total"])?;
    let sold = if report.object.is_cut_off(ITEMS) {
        Err(incomplete(format!(
            "the event carries {} of the session's items, and there are more",
            items.len()
        )))
    } else {
        let by_price = by_price(report, &items, &paid)?;
        if by_price.is_empty() { by_metadata(report, &items, &paid) } else { Ok(by_price) }
    };
    Ok(Packs { sold: sold?, paid })
}

/// The items whose prices are packs'.
fn by_price(
    report: TranslationContext<'_>,
    items: &[Document<'_>],
    paid: &Money,
) -> Result<Vec<PackPurchase>, SetAside> {
    let packs = items.iter().filter_map(|item| {
        let price = item.id("price")?;
        Some((*item, report.catalog.pack_by_price_id(price.as_str())?))
    });
    let packs: Vec<_> = packs.collect();
    let several = packs.len() > 1;
    packs
        .iter()
        .map(|(item, pack)| {
            let id = item.id_of().filter(|_| several);
            if several && id.is_none() {
                return Err(held("an item of the session has no id that can be read"));
            }
            let money = if items.len() == 1 { paid.clone() } else { cost(report, *item)? };
            let quantity = quantity(*item)?;
            Ok(PackPurchase { item: id, pack: pack.id.clone(), terms: None, quantity, subtotal: None, money })
        })
        .collect()
}

/// What the session was made for. Its only item has the quantity, even if the catalog no longer has the price.
fn by_metadata(
    report: TranslationContext<'_>,
    items: &[Document<'_>],
    paid: &Money,
) -> Result<Vec<PackPurchase>, SetAside> {
    let is_here = report.object.find(ITEMS).is_some();
    if !payment::is_top_up(report) {
        return Err(if is_here {
            unknown(report)
        } else {
            incomplete("the event does not say what was bought")
        });
    }
    let (pack, money) = (payment::code(report)?, paid.clone());
    if let Some(terms) = top_up::sold(report, &pack, &report.money(&["amount_subtotal", "amount_total"])?)? {
        let terms = Some(terms);
        return Ok(vec![PackPurchase { item: None, pack, terms, quantity: 1, subtotal: None, money }]);
    }
    if let [item] = items {
        let quantity = quantity(*item)?;
        return Ok(vec![PackPurchase { item: None, pack, terms: None, quantity, subtotal: None, money }]);
    }
    match by_amount(report, paid) {
        Err(SetAside::NeedsReview(because)) if !is_here => Err(incomplete(because)),
        sold => sold.map(|sold| vec![sold]),
    }
}

/// The quantity by the price before discounts and taxes, if it divides evenly.
fn by_amount(report: TranslationContext<'_>, paid: &Money) -> Result<PackPurchase, SetAside> {
    let pack = payment::pack_by_code(report)?;
    let subtotal = report.money(&["amount_subtotal"])?;
    let quantity = payment::count(&subtotal, pack)?;
    let (pack, subtotal, money) = (pack.id.clone(), Some(subtotal), paid.clone());
    Ok(PackPurchase { item: None, pack, terms: None, quantity, subtotal, money })
}

/// The packs that an invoice charges for, each as a purchase of its own.
pub(super) fn of_invoice(
    report: TranslationContext<'_>,
    paid: &Money,
    paid_at: Timestamp,
) -> Result<Vec<TranslationStep>, SetAside> {
    let invoice = report.id()?;
    let lines = report.object.members("lines").filter_map(|line| {
        let pack = report.catalog.pack_by_price_id(line::price_of(line)?.as_str())?;
        Some((line, pack)).filter(|(line, _)| line.integer("amount").is_some_and(|amount| amount > 0))
    });
    let purchase = |(line, pack): (Document<'_>, &Pack)| {
        let money = Money { minor: line::cost_of(report, line)?, currency: report.currency()? };
        Ok(TranslationStep::of_purchase(RecordPackPurchase {
            payment: invoice.clone(),
            item: Some(line.id_of().ok_or_else(|| held("a line has no id that can be read"))?),
            session: None,
            pack: pack.id.clone(),
            sold: None,
            quantity: quantity(line)?,
            subtotal: None,
            paid: (money != *paid).then(|| paid.clone()),
            money,
            effective_at: paid_at,
        }))
    };
    lines.map(purchase).collect()
}

fn quantity(item: Document<'_>) -> Result<u32, SetAside> {
    let quantity = item.integer("quantity").and_then(|quantity| u32::try_from(quantity).ok());
    quantity
        .filter(|quantity| *quantity > 0)
        .ok_or_else(|| held("a pack is sold in no number that can be read"))
}

fn cost(report: TranslationContext<'_>, item: Document<'_>) -> Result<Money, SetAside> {
    let minor = item.integer("amount_total").filter(|minor| *minor >= 0);
    let minor = minor.ok_or_else(|| held("an item of the session names no whole amount of money"))?;
    Ok(Money { minor, currency: report.currency()? })
}

/// If the owner is known, the money must not be ignored. Others may buy anything.
fn unknown(report: TranslationContext<'_>) -> SetAside {
    match OwnerLookup::of(report.object) {
        Some(OwnerLookup::Account { .. }) => held(UNKNOWN),
        Some(owner) => SetAside::NeedsReviewIfOurs { owner, because: UNKNOWN.to_owned() },
        None => ignored("the session is for no pack, and names neither an account nor a customer"),
    }
}

fn incomplete(because: impl Into<String>) -> SetAside {
    SetAside::Incomplete(because.into())
}
