//! What was sold, and on which terms? Between the opening of a page and its payment, the catalog may change; and one
//! purchase may be reported twice, by its session and by an invoice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    account::OpenAccount,
    amount::{Credits, Money},
    catalog::{Catalog, Pack},
    command::RecordPackPurchase,
    credits::Grant,
    ids::{PackId, ProviderId},
    refusal::{Refusal, Unsold},
    time::Timestamp,
    top_up::{PACK, pack_id},
};

/// How many checkouts of an account are remembered. Of one that is forgotten, a pack gives what the catalog says when
/// it is paid.
pub const CHECKOUTS_KEPT_MAX: usize = 64;

/// How long a page can be paid on. Stripe lets none be open for longer.
pub const PAGE_LIVES: TimeDelta = TimeDelta::hours(24);

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

/// What is remembered of an account's checkouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sales {
    started: BTreeMap<ProviderId, Started>,
    /// When the pages were opened on which a plan can be paid for.
    plans: BTreeMap<ProviderId, Timestamp>,
    /// Invoices that sessions made beside their payments.
    invoices: BTreeMap<ProviderId, FirstReporter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Started {
    at: Timestamp,
    sold: SoldPack,
}

/// Who told first what was bought by an invoice that a session made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FirstReporter {
    Session,
    Lines,
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
    pub fn count(&self, purchase: &RecordPackPurchase) -> u32 {
        // Of a free amount there is one.
        if self.pack.as_str() == PACK {
            return purchase.quantity;
        }
        let subtotal = purchase.subtotal.as_ref().filter(|money| money.currency == self.price.currency);
        let counted = subtotal.and_then(|money| whole(money.minor, self.price.minor));
        counted.unwrap_or(purchase.quantity)
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

impl Sales {
    /// What a session sells, if that is remembered.
    #[must_use]
    pub fn sold(&self, purchase: &RecordPackPurchase) -> Option<&SoldPack> {
        let started = self.started.get(purchase.session.as_ref()?)?;
        Some(&started.sold).filter(|sold| sold.pack == purchase.pack)
    }

    /// The pages on which a plan could be paid for at `at`, as far as is known.
    pub fn open_plans(&self, at: Timestamp) -> impl Iterator<Item = ProviderId> {
        let open = self.plans.iter().filter(move |(_, opened)| opened.plus(PAGE_LIVES) > at);
        open.map(|(session, _)| session.clone())
    }

    /// Whether nothing was told of a page on which a plan can be paid for since it was opened.
    #[must_use]
    pub fn is_open(&self, session: &ProviderId) -> bool {
        self.plans.contains_key(session)
    }

    pub(super) fn start(&mut self, session: &ProviderId, sold: Option<&SoldPack>, at: Timestamp) {
        if let Some(sold) = sold {
            self.started.insert(session.clone(), Started { at, sold: sold.clone() });
            forget_oldest(&mut self.started, |started| started.at);
        }
    }

    pub(super) fn start_plan(&mut self, session: &ProviderId, at: Timestamp) {
        self.plans.insert(session.clone(), at);
        forget_oldest(&mut self.plans, |opened| *opened);
    }

    /// Something was bought on the page. What it sold is asked for until the money has come.
    pub(super) fn complete(&mut self, session: &ProviderId) {
        self.plans.remove(session);
    }

    pub(super) fn expire(&mut self, session: &ProviderId) {
        self.started.remove(session);
        self.plans.remove(session);
    }

    pub(super) fn note_invoice(&mut self, invoice: &ProviderId, by_lines: bool) {
        let teller = if by_lines { FirstReporter::Lines } else { FirstReporter::Session };
        self.invoices.entry(invoice.clone()).or_insert(teller);
    }
}

/// Leaves at most [`CHECKOUTS_KEPT_MAX`].
fn forget_oldest<T>(pages: &mut BTreeMap<ProviderId, T>, opened_at: impl Fn(&T) -> Timestamp) {
    if pages.len() <= CHECKOUTS_KEPT_MAX {
        return;
    }
    let oldest = pages.iter().min_by_key(|(_, page)| opened_at(page)).map(|(session, _)| session.clone());
    oldest.into_iter().for_each(|session| drop(pages.remove(&session)));
}

/// Whether the account has what was bought: its grant, or one that somebody else told of. An invoice that a session
/// made and the session tell of one purchase; whoever comes first counts.
#[must_use]
pub fn is_granted(account: &OpenAccount, purchase: &RecordPackPurchase) -> bool {
    let is_there = |purchase: &RecordPackPurchase| {
        purchase.grant_id().is_ok_and(|id| account.wallet.find(&id).is_some())
    };
    let whole = RecordPackPurchase { item: None, ..purchase.clone() };
    is_there(purchase)
        || is_there(&whole)
        || is_told_otherwise(account, purchase)
        || (account.was_elsewhere(purchase.effective_at) && account.payments.has_succeeded(&purchase.payment))
}

/// The grant of just this purchase, if nobody else told of it.
#[must_use]
pub fn grant_of<'a>(account: &'a OpenAccount, purchase: &RecordPackPurchase) -> Option<&'a Grant> {
    account.wallet.find(&purchase.grant_id().ok()?)
}

fn is_told_otherwise(account: &OpenAccount, purchase: &RecordPackPurchase) -> bool {
    let told = account.sales.invoices.get(&purchase.payment);
    match (told, &purchase.session) {
        (Some(FirstReporter::Session), None) | (Some(FirstReporter::Lines), Some(_)) => return true,
        (Some(FirstReporter::Session), Some(_))
        | (Some(FirstReporter::Lines) | None, None)
        | (None, Some(_)) => {}
    }
    // Bought by the payment itself, before its invoice was known.
    let payments = &account.payments;
    let mut bought = account.wallet.grants().filter_map(|grant| {
        let is_pack = grant.terms.grant_id.as_str().starts_with("pack:");
        grant.terms.payment.as_ref().filter(|_| is_pack)
    });
    bought.any(|by| *by != purchase.payment && *payments.bought_by(by) == purchase.payment)
}
