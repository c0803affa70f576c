//! Which rows are on which shard? A statement about some accounts names their one shard.

use std::collections::BTreeMap;

use crate::domain::recorded::{RecordedEvent, Shard};

/// The shard of a batch, which is that of each of its events. `None`: there are no events.
pub(super) fn of_batch(events: &[&RecordedEvent]) -> Option<Shard> {
    events.first().map(|recorded| recorded.shard)
}

/// The rows of each shard.
pub(super) fn by_shard<Row>(rows: &[Row], shard: impl Fn(&Row) -> Shard) -> BTreeMap<Shard, Vec<&Row>> {
    let mut of_each: BTreeMap<Shard, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        of_each.entry(shard(row)).or_default().push(row);
    }
    of_each
}
