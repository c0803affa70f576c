//! Which objects of the ledger did Stripe not list?
//! A list proves little: an object may be older than what is compared, or in another status.
//! So each of these objects is read by its id, and only that answer proves that it does not exist.
//!
//! The ledger's events are read in ranges, and only hashes are kept of what Stripe listed, so that memory grows only
//! with the number of differences.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    JUDGED_CONCURRENT_MAX, ReconcileError, Reconciler, Subject,
    ask::Checked,
    claim::{StripeClaim, TYPES, What, claim},
    found::FoundObjects,
    seen_hashes::SeenHashes,
};
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        purchase_records::PAGE_LIVES,
        recorded::{JournalPosition, JournalPositions, Position, RecordedEvent},
        time::Timestamp,
    },
    journal::{range::RANGE_EVENTS_MAX, row::RowError},
};

/// By how much the clocks of machines that write events may differ.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::days(1);
/// How many subscriptions are read at a time.
const SUBSCRIPTIONS_PAGE: i64 = 1_000;

impl Reconciler {
    /// Finds objects that the ledger refers to and Stripe did not list.
    /// Events after `until` may be newer than the lists.
    pub(super) async fn find_unlisted(
        &self,
        since: Timestamp,
        until: &JournalPositions,
        found: &mut FoundObjects,
        progress: &(impl Fn(&'static str, u64) + Sync),
    ) -> Result<u64, ReconcileError> {
        let mut asked = 0_u64;
        for until in until.iter() {
            let mut after = self.ledger.position_before(since.minus(CLOCKS_DIFFER), until).await?;
            while after < until.position {
                let end = Position(after.0.saturating_add(RANGE_EVENTS_MAX)).min(until.position);
                let after_in_shard = JournalPosition::new(until.shard, after);
                let events = self.ledger.events_of(&TYPES, after_in_shard, end).await?;
                let claims = self.claims(events, since, found);
                asked = asked.saturating_add(self.check_all(claims, found).await?);
                progress("asked", asked);
                after = end;
            }
        }
        let subscriptions = self.find_unlisted_subscriptions(found).await?;
        Ok(asked.saturating_add(subscriptions))
    }

    /// The claims that were not confirmed yet, each once.
    fn claims(
        &self,
        events: Vec<Result<RecordedEvent, RowError>>,
        since: Timestamp,
        found: &mut FoundObjects,
    ) -> Vec<StripeClaim> {
        let mut claims = BTreeMap::new();
        let pages_since = self.now().minus(PAGE_LIVES);
        for event in events {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    found.unreadable(&error);
                    continue;
                }
            };
            let at = event.event.effective_at();
            let Some(claim) = claim(event).filter(|_| at >= since) else { continue };
            let is_over = claim.what == What::Page && at < pages_since;
            if !is_over && !found.seen.has_claim(&claim) {
                claim.join(&mut claims);
            }
        }
        claims.into_values().collect()
    }

    /// Checks all claims. Returns how many objects had to be read.
    async fn check_all(
        &self,
        claims: Vec<StripeClaim>,
        found: &mut FoundObjects,
    ) -> Result<u64, ReconcileError> {
        let asked = u64::try_from(claims.len()).unwrap_or(u64::MAX);
        claims.iter().for_each(|claim| found.seen.note_claim(claim));
        let seen = &found.seen;
        let checked = stream::iter(claims).map(|claim| async move { self.check(&claim, seen).await });
        let checked: Vec<Checked> = checked.buffered(JUDGED_CONCURRENT_MAX).try_collect().await?;
        let mut there = Vec::new();
        for checked in checked {
            match checked {
                Checked::Holds => {}
                Checked::Suspect(suspect) => there.push(suspect),
                Checked::Differs(drift) => found.unfounded(*drift)?,
                Checked::NotCompared(not_compared) => found.not_compared.push(not_compared),
            }
        }
        self.keep_suspects(there, found).await?;
        Ok(asked)
    }

    async fn check(&self, claim: &StripeClaim, seen: &SeenHashes) -> Result<Checked, ReconcileError> {
        match &claim.what {
            What::Link(invoice) => self.check_link(claim, invoice).await,
            What::Total => self.check_total(claim, seen).await,
            What::Page => self.check_page(claim).await,
            What::Object(_) => Ok(self.look_up(claim).await?.named()),
            What::Paid(_) | What::Completed => Ok(self.look_up(claim).await?.finished(claim)),
        }
    }

    async fn look_up(&self, claim: &StripeClaim) -> Result<Checked, ReconcileError> {
        let read_at = self.now();
        Ok(claim.answered(self.ask(claim.what.subject(), &claim.object).await?, read_at))
    }

    /// A page that is no longer known to be open does not matter.
    async fn check_page(&self, claim: &StripeClaim) -> Result<Checked, ReconcileError> {
        let Some(account) = self.account(&claim.account).await? else {
            return Ok(claim.not_compared("its account cannot be read"));
        };
        let now = self.now();
        let sales = account.opened().map(|account| &account.sales);
        let is_open = sales.is_some_and(|sales| sales.open_plans(now).any(|page| page == claim.object));
        if is_open { Ok(self.look_up(claim).await?.unless_open()) } else { Ok(Checked::Holds) }
    }

    /// Finds subscriptions that give a plan here and that Stripe did not list, in any status.
    async fn find_unlisted_subscriptions(&self, found: &mut FoundObjects) -> Result<u64, ReconcileError> {
        let (mut after, mut asked) = (String::new(), 0_u64);
        loop {
            let page = self.inbox.reported(&after, found.begun_at, SUBSCRIPTIONS_PAGE).await?;
            let Some(last) = page.last() else { return Ok(asked) };
            last.as_str().clone_into(&mut after);
            let mut claims = Vec::new();
            for object in page.into_iter().filter(|object| !found.seen.has(object)) {
                let running = self.running(&object).await?;
                claims.extend(running.map(|(account, says)| running_claim(account, object, says)));
            }
            asked = asked.saturating_add(self.check_all(claims, found).await?);
        }
    }
}

const fn running_claim(account: AccountId, object: ProviderId, says: String) -> StripeClaim {
    StripeClaim { account, object, what: What::Object(Subject::Subscription), says }
}
