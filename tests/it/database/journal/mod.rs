//! Does the journal keep its promises? Durable, whole, once, in one order, on the newest state.

mod aggregate;
mod blocks;
mod copy;
mod elsewhere;
mod framework;
mod growing;
mod handed_over;
mod offline;
mod once;
mod range;
mod refunds;
mod several;
mod shards;
mod shared;
mod snapshots;
