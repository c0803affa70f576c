//! What does Stripe say happened, and what does that mean for an account? And the other way: how is Stripe asked?
//!
//! Four parts, on what they share:
//!
//! - [`inbound`]: a delivery is verified and stored, answered, and then translated into commands that are sent to the
//!   ledger. What never came is found.
//! - [`outbound`]: pages are opened, payments made and subscriptions changed, each once.
//! - [`provisioning`]: what the catalog sells is made at Stripe, and it is looked whether it is so.
//! - [`client`]: the requests, as they go over the wire.
//!
//! Shared by these: [`documents`], what Stripe says, as it is written; [`translate`], what that means, as a pure
//! function; and [`calls`], what was asked of Stripe, and what came of it.
//!
//! Deliberately absent: calls to Stripe while a delivery is being answered.

pub mod calls;
pub mod client;
pub mod documents;
pub mod inbound;
pub mod outbound;
pub mod provisioning;
pub mod translate;

pub use documents::{Deployment, StripeMode};
