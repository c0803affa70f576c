//! Is what we tell true, and was it always so? Replays accounts and checks the journal against its proof.
//!
//! An audit reads. It trusts nothing that it can compute again: hashes, chain, numbers, states.

mod blocks;
mod finding;
mod read_models;
mod replay;
mod states;
mod verify;

pub use finding::{AuditFinding, AuditProblem, Verification, VerifyError};
pub use read_models::verify_read_models;
pub use replay::{Replay, ReplayError, ReplayStep, replay};
pub use verify::verify_journal;
