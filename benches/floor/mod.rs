//! How fast is Postgres itself, used plainly?
//!
//! Two floors. A balance that is updated beside an entry that is inserted is what one would write without a
//! journal. Batches inserted into a table like the journal's are the most that a journal could do that did
//! nothing but insert.

pub mod batched_insert;
pub mod update_insert;
