//! Which events does Stripe list that never arrived?

use chrono::TimeDelta;
use serde_json::Value;

use super::{ReconcileError, ReconcileOptions, Reconciler, report::MissingEvent};
use crate::stripe::{
    client::{ListFilter, TYPES_MAX},
    documents::{Document, envelope::Envelope},
    inbound::inbox::Fetched,
    translate::kinds,
};

/// For how many days Stripe lists events.
const EVENTS_DAYS: i64 = 30;

impl Reconciler {
    /// How many events Stripe lists that change something, and which of them never arrived.
    pub(super) async fn missing_events(
        &self,
        order: ReconcileOptions,
        progress: &(impl Fn(&'static str, u64) + Sync),
    ) -> Result<(u64, Vec<MissingEvent>), ReconcileError> {
        let since = order.since.max(self.now().minus(TimeDelta::days(EVENTS_DAYS)));
        let kinds = kinds::KINDS.iter().filter(|kind| kind.is_subscribed && kind.effect().0);
        let kinds: Vec<&'static str> = kinds.map(|kind| kind.name).collect();
        let (mut count, mut missing) = (0_u64, Vec::new());
        for types in kinds.chunks(TYPES_MAX) {
            let listing = ListFilter::Events { types: types.to_vec(), since };
            let mut after = None;
            loop {
                let page = self.client.page(&listing, after.as_deref()).await?;
                count = count.saturating_add(u64::try_from(page.objects.len()).unwrap_or(u64::MAX));
                progress("event", count);
                missing.extend(self.never_came(&page.objects, order.fetch_events).await?);
                let Some(next) = page.next else { break };
                after = Some(next);
            }
        }
        Ok((count, missing))
    }

    async fn never_came(&self, listed: &[Value], fetch: bool) -> Result<Vec<MissingEvent>, ReconcileError> {
        let ids: Vec<&str> = listed.iter().filter_map(|event| Document::new(event).text("id")).collect();
        let known = self.inbox.known(&ids).await?;
        let mut missing = Vec::new();
        for document in listed {
            let Ok(event) = Envelope::of(document) else { continue };
            if known.contains(event.id.as_str()) {
                continue;
            }
            if fetch {
                self.put_in(&event, Fetched::Listed, document).await?;
            }
            missing.push(MissingEvent {
                object: event.object().and_then(Document::id_of),
                event: event.id,
                kind: event.kind,
                created_at: event.created,
                repaired: fetch,
            });
        }
        Ok(missing)
    }
}
