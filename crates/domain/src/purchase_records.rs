//! What was sold, and on which terms?
//! The catalog may change between the opening of a page and its payment, and one purchase may be reported twice, by its
//! session and by an invoice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{command::RecordPackPurchase, ids::ProviderId, sold_pack::SoldPack, time::Timestamp};

/// How many checkouts of an account are remembered.
/// If one is forgotten, its pack gives what the catalog says when it is paid.
pub const CHECKOUTS_KEPT_MAX: usize = 64;

/// For how long a page can be paid on: Stripe's limit.
pub const PAGE_LIVES: TimeDelta = TimeDelta::hours(24);

/// What is remembered of an account's checkouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sales {
    started: BTreeMap<ProviderId, Started>,
    /// When each page with a plan was opened.
    plans: BTreeMap<ProviderId, Timestamp>,
    /// By invoices that sessions made besides their payments.
    invoices: BTreeMap<ProviderId, FirstReporter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Started {
    at: Timestamp,
    sold: SoldPack,
}

/// Which report of a purchase came first, if its session made an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FirstReporter {
    Session,
    Lines,
}

impl Sales {
    /// The terms of a session's sale, if they are remembered.
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

    /// Whether a page with a plan was opened and nothing was reported of it since.
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

    /// Records that something was bought on the page. The terms of its sale are kept until the money has come.
    pub(super) fn complete(&mut self, session: &ProviderId) {
        self.plans.remove(session);
    }

    pub(super) fn expire(&mut self, session: &ProviderId) {
        self.started.remove(session);
        self.plans.remove(session);
    }

    /// Which report of the invoice's purchase came first.
    pub(super) fn first_reporter(&self, invoice: &ProviderId) -> Option<FirstReporter> {
        self.invoices.get(invoice).copied()
    }

    pub(super) fn note_invoice(&mut self, invoice: &ProviderId, by_lines: bool) {
        let teller = if by_lines { FirstReporter::Lines } else { FirstReporter::Session };
        self.invoices.entry(invoice.clone()).or_insert(teller);
    }
}

/// Keeps at most [`CHECKOUTS_KEPT_MAX`] pages, the newest.
fn forget_oldest<T>(pages: &mut BTreeMap<ProviderId, T>, opened_at: impl Fn(&T) -> Timestamp) {
    if pages.len() <= CHECKOUTS_KEPT_MAX {
        return;
    }
    let oldest = pages.iter().min_by_key(|(_, page)| opened_at(page)).map(|(session, _)| session.clone());
    oldest.into_iter().for_each(|session| drop(pages.remove(&session)));
}
