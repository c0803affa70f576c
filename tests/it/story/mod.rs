//! Two customers and three months of Stripe's webhooks, through the whole program: does everybody see what happened,
//! in whatever order and however often it was told?

mod awkward;
mod ending;
mod expected;
mod foreign;
mod history;
mod late;
mod lines;
mod lost;
mod orders;
pub mod program;
