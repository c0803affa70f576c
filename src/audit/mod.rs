//! Is what callers are told true, and was the past changed? Accounts are replayed, and the journal is verified.
//!
//! An audit only reads. It computes everything again that can be computed: hashes, the chain, positions and states.

mod blocks;
mod finding;
mod head;
mod moment;
mod read_models;
mod replay;
mod section;
mod shardings;
mod states;
mod verify;
mod work;

pub use finding::{AuditFinding, AuditProblem, Verification, VerifiedShard, VerifyError};
pub use head::{NotAHead, VerifiedHead};
pub use read_models::verify_read_models;
pub use replay::{Replay, ReplayError, ReplayStep, replay};
pub use verify::{AuditScope, verify_journal};
