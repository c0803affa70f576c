//! What do stored events report, including what they leave out?

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use tokio::time::Instant;

use super::{FETCH_PATIENCE, FETCHES_CONCURRENT_MAX, Processor};
use crate::{
    domain::ids::Actor,
    stripe::{
        documents::envelope::Envelope,
        inbound::{
            discounts::{self, CouponReport, Coupons, Filled},
            inbox::claim::ClaimedEvent,
            invoice_lines,
        },
        translate::{Instructions, OwnerLookup, SetAside, SubscriptionRef, Translation, translate},
    },
};

/// An event as it was delivered.
pub(super) struct Read {
    pub(super) due: ClaimedEvent,
    pub(super) event: Result<Envelope, SetAside>,
}

impl Read {
    pub(super) fn of(due: ClaimedEvent) -> Self {
        let event = Envelope::parse(&due.body).map_err(|error| SetAside::NeedsReview(error.to_string()));
        Self { due, event }
    }

    /// Finds who caused it, by the key of the call that did.
    pub(super) fn find_asker(&mut self, askers: &BTreeMap<String, Actor>) {
        let key = self.event.as_ref().ok().and_then(|event| event.stripe_key.as_ref());
        self.due.asker = key.and_then(|key| askers.get(key)).cloned();
    }
}

/// The keys of the calls that caused these events.
pub(super) fn keys(read: &[Read]) -> Vec<&str> {
    let events = read.iter().filter_map(|read| read.event.as_ref().ok());
    let keys: BTreeSet<&str> = events.filter_map(|event| event.stripe_key.as_deref()).collect();
    keys.into_iter().collect()
}

pub(super) struct Translated {
    pub(super) due: ClaimedEvent,
    pub(super) translation: Translation,
    /// The terms of coupons that it has, or that were fetched for it.
    pub(super) coupons: Vec<CouponReport>,
    /// A note about it, although it was handled.
    pub(super) note: Option<String>,
}

impl Translated {
    pub(super) fn instructions(&self) -> Option<&Instructions> {
        self.translation.as_ref().ok()
    }

    /// Its owner, and the subscription that it is about.
    pub(super) fn owner_and_subject(&self) -> Option<(&OwnerLookup, Option<&SubscriptionRef>)> {
        let about = self.instructions().and_then(|instructions| instructions.about.as_ref());
        Some((self.owner()?, about))
    }

    /// Its owner, also if that only decides whether it needs review.
    fn owner(&self) -> Option<&OwnerLookup> {
        match &self.translation {
            Ok(instructions) => Some(&instructions.owner),
            Err(SetAside::NeedsReviewIfOurs { owner, .. }) => Some(owner),
            Err(_) => None,
        }
    }
}

impl Processor {
    /// Splits events into those for which Stripe has to be asked, and the others, if Stripe can be asked.
    pub(super) fn incomplete(&self, read: Vec<Read>, coupons: &Coupons) -> (Vec<Read>, Vec<Read>) {
        let asks = |read: &Read| {
            let event = read.event.as_ref().ok().filter(|_| self.client.is_some());
            event.is_some_and(|event| {
                discounts::asks(event, coupons) || invoice_lines::asks(event, |event| self.read(event))
            })
        };
        read.into_iter().partition(asks)
    }

    /// Translates all events. They are grouped by party, each in the order of arrival.
    pub(super) async fn translate_all(
        &self,
        read: Vec<Read>,
        coupons: &Coupons,
    ) -> BTreeMap<String, Vec<Translated>> {
        let until = Instant::now() + FETCH_PATIENCE;
        let mut translated = stream::iter(read)
            .map(|read| self.translate_one(read, coupons, until))
            .buffered(FETCHES_CONCURRENT_MAX);
        let mut parties: BTreeMap<String, Vec<Translated>> = BTreeMap::new();
        while let Some(event) = translated.next().await {
            parties.entry(event.due.party.clone()).or_default().push(event);
        }
        parties
    }

    async fn translate_one(&self, read: Read, coupons: &Coupons, until: Instant) -> Translated {
        let Read { due, event } = read;
        let event = match event {
            Ok(event) => event,
            Err(aside) => {
                return Translated { due, translation: Err(aside), coupons: Vec::new(), note: None };
            }
        };
        let Filled { event, told, unknown } =
            discounts::fill(self.client.as_ref(), event, coupons, until).await;
        let translation = self.translate(event, until).await;
        let note = (!unknown.is_empty())
            .then(|| format!("what is behind {} is not known, and takes nothing off", unknown.join(", ")));
        Translated { due, translation, coupons: told, note }
    }

    /// If something cannot be fetched, the event waits, and it is fetched again at the next attempt.
    async fn translate(&self, event: Envelope, until: Instant) -> Translation {
        let whole = invoice_lines::read_whole(self.client.as_ref(), event, |event| self.read(event));
        match tokio::time::timeout_at(until, whole).await {
            Ok(Ok((_, translation))) => translation,
            Ok(Err(error)) => Err(SetAside::Incomplete(format!("the rest of it: {error}"))),
            Err(_) => Err(SetAside::Incomplete("the rest of it was not there in time".to_owned())),
        }
    }

    fn read(&self, event: &Envelope) -> Translation {
        translate(event, self.ledger.catalog(), &self.deployment)
    }
}

/// The ids of discounts that these events refer to.
pub(super) fn discounts_named(read: &[Read]) -> Vec<String> {
    let events = read.iter().filter_map(|read| read.event.as_ref().ok());
    let names: BTreeSet<String> = events.flat_map(discounts::named).collect();
    names.into_iter().collect()
}
