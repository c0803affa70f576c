//! Does one story of webhooks end the same in any order? Two customers and three months, through the whole program,
//! told in whatever order and however often.

mod awkward;
mod ending;
mod expected;
mod figures;
mod foreign;
mod history;
mod late;
mod lines;
mod looks;
mod lost;
mod orders;
