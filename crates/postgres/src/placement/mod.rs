//! On which node is each table, where the database has several?
//!
//! With Citus, PostgreSQL has a coordinator, which the program migrates, and workers. Whether it is there is asked of
//! the database; on any other PostgreSQL nothing of this is done.

mod distribute;
mod node;

pub use distribute::{PlacementError, distribute, is_distributed, place_read_models};
pub use node::{DatabaseNode, node_of};

use Placement::{ByShard, Everywhere, OnePlace};
use ShardGroup::{Journal, ReadModels};

/// Where the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The rows of a shard are on one node, with those of the same shard in the other tables of the group.
    ByShard(ShardGroup),
    /// Every node has all rows.
    Everywhere,
    /// The coordinator has all rows, and the other nodes ask it.
    OnePlace,
}

/// Tables whose rows of a shard are together, and are moved to another node together.
///
/// All tables of a group have one owner: Citus copies the tables of each owner by themselves when it moves a shard, and
/// may go on before it has all of them, so that acknowledged events would be lost. No statement has tables of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardGroup {
    /// Of the login that migrates.
    Journal,
    /// Of the service's role, which makes and drops them in a rebuild.
    ReadModels,
}

impl ShardGroup {
    /// The table that the others of the group are put beside.
    const fn first(self) -> &'static str {
        match self {
            Self::Journal => "ledger.heads",
            Self::ReadModels => "read.checkpoints",
        }
    }
}

/// Every table but those of the versions of read models, with the reason of its place. The first of a group is above
/// the others.
pub const TABLES: [(&str, Placement, &str); 27] = [
    ("ledger.heads", ByShard(Journal), "an append locks the row of its shard"),
    ("ledger.events", ByShard(Journal), "an append writes to one shard, and an account is in one"),
    ("ledger.blocks", ByShard(Journal), "an append writes the block of its events"),
    ("ledger.snapshots", ByShard(Journal), "an account is loaded from its snapshot and its later events"),
    ("read.checkpoints", ByShard(ReadModels), "a checkpoint moves with the rows of its shard"),
    ("read.parked", ByShard(ReadModels), "an account is parked when the checkpoint passes it"),
    ("read.projections", Everywhere, "which version readers see is asked with the checkpoints of all shards"),
    ("ledger.api_keys", Everywhere, "requests ask for keys at every node, and keys rarely change"),
    ("ledger.catalogs", Everywhere, "a start at any node asks for its catalog, and catalogs rarely change"),
    ("ledger.catalog_changes", OnePlace, "a few rows a year, numbered in one order"),
    ("ledger.price_ids", OnePlace, "a row for each price, read at a start"),
    ("ledger.shardings", OnePlace, "a row for each growth, read at a start"),
    ("ledger.sharding_filters", OnePlace, "some rows for each growth, read at a start"),
    ("ledger.mode", OnePlace, "one row, read at a start"),
    ("ledger.readiness", OnePlace, "one row, written to see whether anything can be written"),
    ("ledger.sale_turns", OnePlace, "a row is locked while something is sold to an account"),
    (
        "ledger.stripe_inbox",
        OnePlace,
        "deliveries are taken in the order of their arrival, skipping what is locked",
    ),
    ("ledger.stripe_links", OnePlace, "found by the customer, before the account is known"),
    ("ledger.stripe_links_begun", OnePlace, "found by the customer, before the account is known"),
    ("ledger.stripe_payments", OnePlace, "found by the payment, before the account is known"),
    (
        "ledger.stripe_calls",
        OnePlace,
        "calls are taken by the time of the next attempt, skipping what is locked",
    ),
    ("ledger.stripe_reports", OnePlace, "found by the object at Stripe"),
    ("ledger.stripe_coupons", OnePlace, "found by the coupon, which many accounts have"),
    ("ledger.stripe_reconciliations", OnePlace, "a row for each night"),
    ("ledger.instances", OnePlace, "a row for each instance, all of which are read together"),
    ("read.leases", OnePlace, "leases are taken by names, some of them of no shard"),
    ("_sqlx_migrations", OnePlace, "migrations are made at the coordinator"),
];

/// `None`: nobody has said where this table belongs.
#[must_use]
pub fn placement_of(table: &str) -> Option<Placement> {
    let known = TABLES.iter().find(|(name, _, _)| *name == table).map(|(_, placement, _)| *placement);
    known.or_else(|| is_version(table).then_some(ByShard(ReadModels)))
}

/// Whether it is a table of a version of a read model, such as `read.usage_v2`.
fn is_version(table: &str) -> bool {
    let version = table.strip_prefix("read.").and_then(|name| name.rsplit_once("_v"));
    version.is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_read_models_are_by_shard_and_unknown_tables_are_not_placed() {
        assert_eq!(placement_of("read.usage_v12"), Some(ByShard(ReadModels)));
        assert_eq!(placement_of("ledger.heads"), Some(ByShard(Journal)));
        for unknown in ["read.usage", "read.usage_v", "read.usage_vN", "ledger.usage_v1", "ledger.planted"] {
            assert_eq!(placement_of(unknown), None, "{unknown}");
        }
    }
}
