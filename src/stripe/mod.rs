//! What does Stripe report, what does that mean for an account, and how is Stripe called?
//!
//! There are four parts:
//!
//! - [`inbound`]: deliveries are verified and stored, answered, and then translated into commands for the ledger.
//!   Missing events are found.
//! - [`outbound`]: pages are opened, payments made and subscriptions changed, each exactly once.
//! - [`provisioning`]: what the catalog sells is made at Stripe, and checked there.
//! - [`client`]: the requests to Stripe.
//!
//! They share [`documents`], Stripe's objects as they are written; [`translate`], their meaning, as a pure function;
//! and [`calls`], the stored calls with their outcomes.
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
