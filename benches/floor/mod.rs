//! How fast is Postgres itself, used in the simplest way?
//!
//! There are two measurements.
//! A balance that is updated together with an inserted entry is what one would write without a journal.
//! Batches that are inserted into a table like the journal's are the most that a journal could do if it only inserted.

pub mod batched_insert;
pub mod update_insert;
